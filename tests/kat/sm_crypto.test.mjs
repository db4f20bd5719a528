// The SM2 and SM3 answers in vectors/ as npm's sm-crypto sees them, good ones and bad ones.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import test from "node:test";
import smCrypto from "sm-crypto";

const { sm2, sm3 } = smCrypto;
const ID = "1234567812345678";

function lines(name) {
	return readFileSync(new URL(`vectors/${name}.txt`, import.meta.url), "utf8").split("\n").filter((line) => line && line[0] !== "#").map((line) => {
		const [what, verdict, ...fields] = line.split(" ");
		const row = Object.fromEntries(fields.map((field) => field.split("=")).map(([k, v]) => [k, v === "-" ? "" : v]));
		return { what, good: verdict === "good", ...row };
	});
}

const bytes = (hex) => [...Buffer.from(hex, "hex")];

test("SM3", () => {
	const rows = lines("crypto").filter((row) => row.what === "sm3");
	assert(rows.length > 20);
	for (const row of rows) assert.equal(sm3(bytes(row.data)), row.hash);
});

test("HMAC-SM3, as keys are derived with it", () => {
	const rows = lines("seal").filter((row) => row.what === "derive" && row.suite === "2");
	assert(rows.length > 5);
	for (const row of rows) assert.equal(sm3(bytes(row.label), { mode: "hmac", key: row.key }), row.result);
});

test("SM2 signatures", () => {
	// What it does not look at: whether the public key is a point of the curve.
	const rows = lines("sign").filter((row) => row.kind === "2" && !["not-on-curve", "compressed", "zero-point", "infinity", "x-not-reduced"].includes(row.note));
	assert(rows.filter((row) => row.good).length > 8 && rows.filter((row) => !row.good).length > 40);
	for (const row of rows) {
		let good = false;
		try {
			good = sm2.doVerifySignature(bytes(row.data), row.signature, row.public, { hash: true, userId: ID });
		} catch {
			// refused too
		}
		assert.equal(good, row.good, row.note);
	}
});

// SEQUENCE { INTEGER, INTEGER, OCTET STRING, OCTET STRING }, short lengths as they are in vectors/, to C1 C3 C2.
function parts(der) {
	const data = Buffer.from(der, "hex");
	let at = data[1] < 128 ? 2 : 3;
	const take = () => {
		const value = data.subarray(at + 2, at + 2 + data[at + 1]);
		at += 2 + value.length;
		return value;
	};
	const number = () => take().toString("hex").padStart(64, "0").slice(-64);
	return number() + number() + take().toString("hex") + take().toString("hex");
}

test("SM2 boxes", () => {
	const rows = lines("box").filter((row) => row.kind === "2" && (row.good || ["other-key", "c3-turned"].includes(row.note)));
	assert(rows.filter((row) => row.good).length > 6);
	for (const row of rows) {
		const text = sm2.doDecrypt(parts(row.sealed), row.secret, 1, { output: "array" });
		assert.equal(Buffer.from(text).toString("hex") === row.text, row.good, row.note);
		if (row.good) assert.equal(sm2.getPublicKeyFromPrivateKey(row.secret), row.public);
	}
});
