import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { downloadDataset, downloadFiles, downloadSource } from "../../src/data/download.ts";
import { DOWNLOADS, type RemoteDataset } from "../../src/data/download_catalog.ts";
import { openDataSource } from "../../src/data/open.ts";
import { DownloadError, UserError } from "../../src/errors.ts";
import { idxBytes, put, withFolder } from "./helpers.ts";

const contents = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 13);
const other = Uint8Array.of(1, 2, 3);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const dataset: RemoteDataset = {
  title: "Test",
  baseUrl: "http://127.0.0.1:1/",
  files: [
    { name: "a.bin", sizeBytes: contents.length, sha256: sha256(contents) },
    { name: "b.bin", sizeBytes: other.length, sha256: sha256(other) },
  ],
};
const quick = { retryDelayMs: 1 };

type Handler = (request: Request, path: string) => Response | Promise<Response>;

/** Runs a test against a server on this machine. */
async function withServer(
  handler: Handler,
  test: (baseUrl: string, requests: string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const path = new URL(request.url).pathname.slice(1);
    const range = request.headers.get("range");
    requests.push(range ? `${path} ${range}` : path);
    return handler(request, path);
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}/`, requests);
  } finally {
    await server.shutdown();
  }
}

const file = (path: string) => path === "a.bin" ? contents : other;

/** Serves the files, also from the middle. */
const serveFiles: Handler = (request, path) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  const bytes = file(path);
  if (from === 0) return new Response(bytes.slice());
  return new Response(bytes.slice(from), {
    status: 206,
    headers: { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` },
  });
};

/** A body of an unknown length that breaks off. */
function brokenOff(bytes: Uint8Array): Response {
  return new Response(ReadableStream.from([bytes.slice()]));
}

Deno.test("downloadFiles() fetches files, reports progress, and keeps what is there", async () => {
  await withFolder((folder) =>
    withServer(serveFiles, async (baseUrl, requests) => {
      const place = `${folder}/new/data`;
      let last = { file: "", doneBytes: 0, totalBytes: 0 };
      const paths = await downloadFiles(dataset, place, {
        baseUrl,
        onProgress: (progress) => {
          assert(progress.doneBytes >= last.doneBytes);
          last = progress;
        },
      });
      assertEquals(paths, [`${place}/a.bin`, `${place}/b.bin`]);
      assertEquals(await Deno.readFile(paths[0]), contents);
      assertEquals(last, { file: "b.bin", doneBytes: 300_003, totalBytes: 300_003 });
      assertEquals([...Deno.readDirSync(place)].length, 2);
      await downloadFiles(dataset, place, { baseUrl });
      assertEquals(requests, ["a.bin", "b.bin"]);
    })
  );
});

Deno.test("downloadFiles() goes on where a transfer broke off", async () => {
  let first = true;
  const handler: Handler = (request, path) => {
    if (path !== "a.bin" || !first) return serveFiles(request, path);
    first = false;
    return brokenOff(contents.subarray(0, 100_000));
  };
  await withFolder((folder) =>
    withServer(handler, async (baseUrl, requests) => {
      await downloadFiles(dataset, folder, { baseUrl, ...quick });
      assertEquals(await Deno.readFile(`${folder}/a.bin`), contents);
      assertEquals(requests, ["a.bin", "a.bin bytes=100000-", "b.bin"]);
    })
  );
});

Deno.test("downloadFiles() starts anew where the server cannot go on in the middle", async () => {
  await withFolder((folder) =>
    withServer((_, path) => new Response(file(path).slice()), async (baseUrl, requests) => {
      await put(`${folder}/a.bin.part`, contents.slice(0, 5000));
      await downloadFiles(dataset, folder, { baseUrl, ...quick });
      assertEquals(await Deno.readFile(`${folder}/a.bin`), contents);
      assertEquals(requests, ["a.bin bytes=5000-", "b.bin"]);
    })
  );
});

Deno.test("downloadFiles() throws away a part of another file, and fetches the whole", async () => {
  await withFolder((folder) =>
    withServer(serveFiles, async (baseUrl) => {
      await put(`${folder}/a.bin.part`, new Uint8Array(5000));
      await downloadFiles(dataset, folder, { baseUrl, ...quick });
      assertEquals(await Deno.readFile(`${folder}/a.bin`), contents);
    })
  );
});

Deno.test("downloadFiles() refuses a file with a wrong checksum and leaves nothing", async () => {
  await withFolder((folder) =>
    withServer(() => new Response(new Uint8Array(300_000)), async (baseUrl) => {
      await assertRejects(
        () => downloadFiles(dataset, folder, { baseUrl, ...quick }),
        DownloadError,
        `Cannot fetch ${baseUrl}a.bin: its SHA-256 is ${sha256(new Uint8Array(300_000))}, and ` +
          `${sha256(contents)} was expected`,
      );
      assertEquals([...Deno.readDirSync(folder)], []);
    })
  );
});

Deno.test("downloadFiles() names a transfer that stays truncated, and what to do", async () => {
  await withFolder((folder) =>
    withServer(() => brokenOff(contents.subarray(0, 10)), async (baseUrl, requests) => {
      await assertRejects(
        () => downloadFiles(dataset, folder, { baseUrl, attempts: 2, ...quick }),
        DownloadError,
        `Cannot fetch ${baseUrl}a.bin: the transfer ended after 10 of 300000 bytes; without a ` +
          `network, put Test's files (a.bin, b.bin) into ${folder} and name that folder as the data`,
      );
      assertEquals(requests.length, 2);
    })
  );
});

Deno.test("downloadFiles() tries again after a server's error, not after a missing file", async () => {
  for (const [status, tries] of [[503, 3], [404, 1]]) {
    const handler = () => new Response("no", { status, statusText: "No" });
    await withFolder((folder) =>
      withServer(handler, async (baseUrl, requests) => {
        await assertRejects(
          () => downloadFiles(dataset, folder, { baseUrl, ...quick }),
          DownloadError,
          `a.bin: the server answered ${status}`,
        );
        assertEquals(requests.length, tries);
      })
    );
  }
});

Deno.test("downloadFiles() refuses more bytes than the file has", async () => {
  await withFolder((folder) =>
    withServer(() => new Response(new Uint8Array(300_001)), async (baseUrl) => {
      await assertRejects(
        () => downloadFiles(dataset, folder, { baseUrl, ...quick }),
        DownloadError,
        "it has more than the expected 300000 bytes",
      );
    })
  );
});

Deno.test("downloadFiles() gives up on a server that sends nothing", async () => {
  const handler: Handler = (request) => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(1));
        request.signal.addEventListener("abort", () => controller.close());
      },
    });
    return new Response(body);
  };
  await withFolder((folder) =>
    withServer(handler, async (baseUrl) => {
      await assertRejects(
        () => downloadFiles(dataset, folder, { baseUrl, attempts: 1, stallTimeoutMs: 50 }),
        DownloadError,
        "nothing came for 50 ms",
      );
    })
  );
});

Deno.test("downloadFiles() leaves a file alone that is there with other contents", async () => {
  await withFolder(async (folder) => {
    await put(`${folder}/a.bin`, "mine");
    await assertRejects(
      () => downloadFiles(dataset, folder, quick),
      UserError,
      `${folder}/a.bin is there with other contents (4 bytes; 300000 with SHA-256 ${
        sha256(contents)
      } were ` +
        `expected); move it away first`,
    );
    assertEquals(await Deno.readTextFile(`${folder}/a.bin`), "mine");
  });
});

Deno.test("downloadFiles() stops when its signal says so, also while it waits", async () => {
  await withFolder((folder) =>
    withServer(() => new Response("no", { status: 500 }), async (baseUrl) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      setTimeout(() => controller.abort(reason), 30);
      const error = await assertRejects(() =>
        downloadFiles(dataset, folder, {
          baseUrl,
          retryDelayMs: 60_000,
          signal: controller.signal,
        })
      );
      assertEquals(error, reason);
    })
  );
});

Deno.test("downloadDataset() says where to put the files when nobody answers", async () => {
  await withFolder(async (folder) => {
    for (const [name, files] of [["mnist", 4], ["cifar-10", 1]] as const) {
      const error = await assertRejects(
        () => downloadDataset(name, folder, { baseUrl: "http://127.0.0.1:1/", attempts: 1 }),
        DownloadError,
        `into ${folder} and name that folder as the data`,
      );
      assertEquals(error.message.match(/\.gz/g)!.length, files + 1); // the address names one too
    }
  });
});

Deno.test("downloadFiles() names a folder that cannot be made", async () => {
  await withFolder(async (folder) => {
    const place = `${await put(`${folder}/file`, "x")}/inside`;
    await assertRejects(
      () => downloadFiles(dataset, place, quick),
      UserError,
      `Cannot write ${place}: `,
    );
  });
});

Deno.test("downloadSource() fetches MNIST for stacked digits, which read what was fetched", async () => {
  const pixels = Uint8Array.from({ length: 20 * 28 * 28 }, (_, i) => i * 7 % 251);
  const files: Record<string, Uint8Array> = {
    "train-images-idx3-ubyte": idxBytes([20, 28, 28], pixels),
    "train-labels-idx1-ubyte": idxBytes([20], Uint8Array.from({ length: 20 }, (_, i) => i % 10)),
  };
  const mnist: RemoteDataset = {
    title: "a small MNIST",
    baseUrl: "http://127.0.0.1:1/",
    files: Object.entries(files).map(([name, bytes]) => ({
      name,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
    })),
  };
  await withFolder((root) =>
    withServer((_, path) => new Response(files[path].slice()), async (baseUrl, requests) => {
      const wanted = { source: "stacked-mnist", size: 28, count: 50 } as const;
      const fetched = await downloadSource(wanted, {
        root,
        baseUrl,
        catalog: { ...DOWNLOADS, mnist },
      });
      const folder = `${root}/data/mnist`;
      assertEquals(fetched, { spec: { ...wanted, path: folder }, title: "a small MNIST", folder });
      assertEquals(requests, Object.keys(files));
      const data = await openDataSource(fetched.spec);
      assertEquals([data.name, data.count, ...data.shape], ["stacked-mnist", 50, 28, 28, 3]);
    })
  );
});

Deno.test("downloadSource() keeps the image size of an ordinary run, and reads the fetched split", async () => {
  await withFolder((root) =>
    withServer(serveFiles, async (baseUrl) => {
      const catalog = { ...DOWNLOADS, mnist: dataset };
      const wanted = { source: "mnist", size: 32, split: "test" } as const;
      const { spec } = await downloadSource(wanted, { root, baseUrl, catalog });
      assertEquals(spec, { ...wanted, path: `${root}/data/mnist` });
    })
  );
});

Deno.test("downloadSource() refuses a source without files to fetch, before it asks any server", async () => {
  await assertRejects(
    () => downloadSource({ source: "digits" }),
    UserError,
    'Cannot download data for the source "digits": there are files to fetch for mnist, ' +
      "stacked-mnist, cifar-10 only; name your files with --data",
  );
});
