"""Verifies a receipt or an evidence bundle by docs/log.md alone: independent-verifier.py FILE VKEY. Prints the records; exit 1 when it does not hold."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib


def sha256(data):
    return hashlib.sha256(data).digest()


def ed25519(key, signature, text):
    pem = base64.encodebytes(bytes.fromhex("302a300506032b6570032100") + key).decode()
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for name, data in (("key", f"-----BEGIN PUBLIC KEY-----\n{pem}-----END PUBLIC KEY-----\n".encode()), ("sig", signature), ("text", text)):
            names[name] = os.path.join(folder, name)
            with open(names[name], "wb") as file:
                file.write(data)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", names["key"], "-rawin", "-in", names["text"], "-sigfile", names["sig"]]
        return subprocess.run(command, capture_output=True).returncode == 0


def open_note(note, vkey, checkpoint=True):
    name, key_id, key = vkey.split("+", 2)
    typed = base64.b64decode(key, validate=True)
    assert typed[0] == 1 and len(typed) == 33, "not an Ed25519 key"
    assert sha256(name.encode() + b"\n" + typed)[:4].hex() == key_id, "the ID of the key is not its own"
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    signed = False
    for line in signatures.rstrip("\n").split("\n"):
        dash, signer, encoded = line.split(" ")
        assert dash == "\u2014", "no signature line"
        decoded = base64.b64decode(encoded, validate=True)
        if signer != name or decoded[:4].hex() != key_id:
            continue
        assert ed25519(typed[1:], decoded[4:], text.encode()), "a false signature"
        signed = True
    assert signed, "not signed by the key"
    assert not checkpoint or text.split("\n")[0] == name, "another log"
    return text


def climb(leaf, index, size, path, root):
    node, i, last = sha256(b"\0" + leaf), index, size - 1
    assert 0 <= i <= last, "the index is outside of the tree"
    for p in path:
        assert last != 0, "the path is too long"
        if i % 2 == 1 or i == last:
            node = sha256(b"\1" + p + node)
            while i % 2 == 0 and i != 0:
                i, last = i // 2, last // 2
        else:
            node = sha256(b"\1" + node + p)
        i, last = i // 2, last // 2
    assert last == 0 and node == root, f"record {index} is not in the log"


def verify(receipt, vkey):
    head, note = receipt.split("\n\n", 1)
    title, extra, index, *path = head.split("\n")
    assert title == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index "), "no receipt"
    _, size, root = open_note(note, vkey).split("\n")[:3]
    leaf = base64.b64decode(extra[6:], validate=True)
    climb(leaf, int(index[6:]), int(size), [base64.b64decode(line, validate=True) for line in path], base64.b64decode(root))
    return json.loads(leaf)


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path_spans(index, start, end):
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle:
        return path_spans(index, start, middle) + [(middle, end)]
    return path_spans(index, middle, end) + [(start, middle)]


def lines(data):
    assert data == b"" or data.endswith(b"\n"), "the file ends within a line"
    return [json.loads(line) for line in data.decode().split("\n")[:-1]]


def prove(records, nodes, start, end, root):
    inside = [one for one in records if start <= one["index"] < end]
    if not inside:
        return

    def take(a, b):
        assert nodes and nodes[0][:2] == [a, b], f"the proof lacks {a} to {b}"
        return base64.b64decode(nodes.pop(0)[2], validate=True)

    if len(inside) == 1:
        one = inside[0]
        path = [take(a, b) for a, b in path_spans(one["index"], start, end)]
        climb(one["leaf"].encode(), one["index"] - start, end - start, path, root)
        return
    middle = start + split(end - start)
    left, right = take(start, middle), take(middle, end)
    assert sha256(b"\1" + left + right) == root, "the proof is not that of the log"
    prove(inside, nodes, start, middle, left)
    prove(inside, nodes, middle, end, right)


FIXED = {"TOM-TAT.txt", "records.jsonl", "proof.jsonl", "checkpoint", "keys.json", "manifest.json"}


def verify_bundle(path, vkey):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names)) and FIXED <= set(names), "not the files of a bundle"
        assert all(name in FIXED or name.startswith("witnesses/") for name in names), "a file that is none of a bundle's"
        files = {name: archive.read(name) for name in names}
    manifest = json.loads(files["manifest.json"])
    assert (manifest["format"], manifest["version"]) == ("lgsp-evidence", 1), "another format"
    assert set(manifest["files"]) == set(names) - {"manifest.json"}, "the manifest names other files"
    for name, said in manifest["files"].items():
        assert (len(files[name]), hashlib.sha256(files[name]).hexdigest()) == (said["bytes"], said["sha256"]), f"{name} was changed"
    trusted = [vkey]
    for step in json.loads(files["keys.json"])["handOvers"]:
        if step["from"] in trusted and open_note(step["note"], step["from"], False) == "\n".join(
            ["lgsp-log-key-hand-over@v1", vkey.split("+")[0], step["from"], step["to"], ""]
        ):
            trusted.append(step["to"])
    note, text = files["checkpoint"].decode(), None
    for key in trusted:
        try:
            text = open_note(note, key)
        except AssertionError:
            continue
    assert text is not None, "no trusted key signed the checkpoint"
    origin, size, root = text.split("\n")[:3]
    assert (origin, int(size)) == (manifest["origin"], manifest["size"]), "the manifest is about another checkpoint"
    records, nodes = lines(files["records.jsonl"]), lines(files["proof.jsonl"])
    places = [one["index"] for one in records]
    assert places == sorted(set(places)) and len(places) == manifest["records"], "out of order, or not as many as listed"
    assert all(0 <= place < int(size) for place in places), "a record outside of the tree"
    prove(records, nodes, 0, int(size), base64.b64decode(root))
    assert nodes == [], "the proof goes on"
    return [json.loads(one["leaf"]) for one in records]


try:
    if zipfile.is_zipfile(sys.argv[1]):
        print(json.dumps(verify_bundle(sys.argv[1], sys.argv[2])))
    else:
        with open(sys.argv[1], encoding="utf-8", newline="") as source:
            print(json.dumps(verify(source.read(), sys.argv[2])))
except (AssertionError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as fault:
    print(fault, file=sys.stderr)
    sys.exit(1)
