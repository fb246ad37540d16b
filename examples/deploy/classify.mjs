import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const [model, pixels, ...shape] = process.argv.slice(2); // model.onnx image.bin 1 28 28
const data = new Float32Array(new Uint8Array(readFileSync(pixels)).buffer);
const [c, h, w] = shape.map(Number);
const n = data.length / (c * h * w);
const session = await ort.InferenceSession.create(model);
const { logits } = await session.run({ images: new ort.Tensor("float32", data, [n, c, h, w]) });
const classes = logits.dims[1];
const best = (row) => row.indexOf(Math.max(...row));
console.log([...Array(n).keys()].map((i) => best(logits.data.slice(i * classes, (i + 1) * classes))).join(" "));
