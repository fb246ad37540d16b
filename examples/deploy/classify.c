#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#define DO(call) do { OrtStatus *s = (call); if (s) { fprintf(stderr, "%s\n", o->GetErrorMessage(s)); exit(1); } } while (0)
int main(int argc, char **argv) { /* model.onnx image.bin 1 28 28 classes */
  const OrtApi *o = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  int64_t shape[4] = {1, atoi(argv[3]), atoi(argv[4]), atoi(argv[5])}, size = shape[1] * shape[2] * shape[3];
  float *pixels = malloc(size * sizeof *pixels), *logits;
  FILE *f = fopen(argv[2], "rb");
  if (argc < 7 || !f || fread(pixels, sizeof *pixels, size, f) != (size_t)size) return 1;
  OrtEnv *env; OrtSessionOptions *options; OrtSession *session; OrtMemoryInfo *memory; OrtValue *in, *out = NULL;
  DO(o->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "classify", &env)); DO(o->CreateSessionOptions(&options));
  DO(o->CreateSession(env, argv[1], options, &session)); DO(o->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
  DO(o->CreateTensorWithDataAsOrtValue(memory, pixels, size * sizeof *pixels, shape, 4, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &in));
  DO(o->Run(session, NULL, (const char *[]){"images"}, (const OrtValue *const *)&in, 1, (const char *[]){"logits"}, 1, &out));
  DO(o->GetTensorMutableData(out, (void **)&logits));
  int best = 0;
  for (int i = 1; i < atoi(argv[6]); i++) if (logits[i] > logits[best]) best = i;
  printf("%d\n", best);
}
