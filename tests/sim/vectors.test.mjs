// The vectors and the table of models in the tree are what their generators write: nobody mended them by hand, and a new version of
// zigbee-herdsman-converters is noticed.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile), here = import.meta.dirname, unit = path.join(here, "../unit");
const read = (...names) => fs.readFileSync(path.join(...names), "utf8");

for (const [program, file] of [["zcl_vectors.mjs", "zcl_vectors.txt"], ["expose_vectors.mjs", "expose_vectors.txt"],
	["converter_vectors.mjs", "converter_vectors.txt"]]) {
	test(`${file} is what ${program} writes`, async () => {
		const { stdout } = await run(process.execPath, [path.join(here, program)], { maxBuffer: 1 << 24 });
		assert.ok(stdout === read(unit, file), `node ${program} > ../unit/${file}`);
	});
}

test("models.tsv and its vectors are what models.mjs writes", async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "models-"));
	try {
		await run(process.execPath, [path.join(here, "models.mjs"), path.join(folder, "a"), path.join(folder, "b")]);
		assert.ok(read(folder, "a") === read(here, "../../plugins/zigbee/models.tsv"), "node models.mjs ../../plugins/zigbee/models.tsv ...");
		assert.ok(read(folder, "b") === read(unit, "model_vectors.tsv"), "node models.mjs ... ../unit/model_vectors.tsv");
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
});
