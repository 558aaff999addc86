// What libbpf 1.8's btf__new accepts is accepted, what it refuses is refused.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Btf, BtfFormatError } from "btfkit";
import { expect } from "vitest";
import { corpusPath, needing } from "../support/needs.js";
import { walk } from "../support/walk.js";

interface Verdict {
  readonly hex: string;
  /** 0, or the errno of btf__new. */
  readonly libbpf: number;
  /** btf__type_cnt */
  readonly types: number;
}

needing("the corpus in ../shared")("24,000 images: verdict and type count equal libbpf's", () => {
  const lines = gunzipSync(readFileSync(corpusPath("acceptance.jsonl.gz")))
    .toString()
    .trim()
    .split("\n");
  expect(lines.length).toBe(24_000);
  const disagreements: string[] = [];
  for (const line of lines) {
    const { hex, libbpf, types } = JSON.parse(line) as Verdict;
    let ours: number | string;
    try {
      using btf = Btf.parse(Buffer.from(hex, "hex"));
      ours = btf.size;
      walk(btf, types % 3 === 0);
    } catch (error) {
      if (!(error instanceof BtfFormatError)) throw error;
      ours = error.code;
    }
    const agreed = libbpf === 0 ? ours === types : typeof ours === "string";
    if (!agreed) disagreements.push(`libbpf ${libbpf}, ${types} types; ours ${ours}: ${hex}`);
  }
  expect(disagreements).toEqual([]);
});
