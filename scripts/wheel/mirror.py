"""Serves Fashion-MNIST on loopback, as it is published, from Debian's package of it.

    mirror.py [FOLDER]      prints the address, and serves until it is ended

The package (dataset-fashion-mnist) has the published files but for the headers that
gzip wrote: their names and times were taken out. They are put back here, so that the
sums are those that `spikedhs data fetch` compares with.
"""
import hashlib
import http.server
import pathlib
import struct
import sys

TRAIN, TEST = 1504176606, 1504176627  # 31 August 2017

# The time in the header, and the published MD5 sum.
FILES = {
    "train-images-idx3-ubyte": (TRAIN, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "train-labels-idx1-ubyte": (TRAIN, "25c81989df183df01b3e8a0aad5dffbe"),
    "t10k-images-idx3-ubyte": (TEST, "bef4ecab320f06d8554ea6380940ec79"),
    "t10k-labels-idx1-ubyte": (TEST, "bb300cfdad3c16e7a12a480ee83cd310"),
}


def published(folder, name):
    """The bytes of a published file."""
    modified, md5 = FILES[name]
    plain = (folder / f"{name}.gz").read_bytes()
    # Magic number, deflate, "a name follows"; time; no hints, made on Unix; the name.
    header = b"\x1f\x8b\x08\x08" + struct.pack("<I", modified) + b"\x00\x03" + name.encode() + b"\x00"
    content = header + plain[10:]
    if hashlib.md5(content).hexdigest() != md5:
        sys.exit(f"mirror.py: {folder}/{name}.gz is not Debian's file: install dataset-fashion-mnist again.")
    return content


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
    if not folder.is_dir():
        sys.exit(f"mirror.py: {folder} is missing: run apt install dataset-fashion-mnist.")
    files = {f"/{name}.gz": published(folder, name) for name in FILES}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
