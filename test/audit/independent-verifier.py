"""Verifies a receipt by docs/log.md alone: independent-verifier.py RECEIPT VKEY. Prints the record; exit 1 when it does not hold."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile


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


def open_note(note, vkey):
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
    assert text.split("\n")[0] == name, "another log"
    return text


def verify(receipt, vkey):
    head, note = receipt.split("\n\n", 1)
    title, extra, index, *path = head.split("\n")
    assert title == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index "), "no receipt"
    _, size, root = open_note(note, vkey).split("\n")[:3]
    leaf = base64.b64decode(extra[6:], validate=True)
    node, i, last = sha256(b"\0" + leaf), int(index[6:]), int(size) - 1
    assert 0 <= i <= last, "the index is outside of the tree"
    for line in path:
        p = base64.b64decode(line, validate=True)
        assert last != 0, "the path is too long"
        if i % 2 == 1 or i == last:
            node = sha256(b"\1" + p + node)
            while i % 2 == 0 and i != 0:
                i, last = i // 2, last // 2
        else:
            node = sha256(b"\1" + node + p)
        i, last = i // 2, last // 2
    assert last == 0 and node == base64.b64decode(root), "the record is not in the log"
    return json.loads(leaf)


try:
    with open(sys.argv[1], encoding="utf-8", newline="") as source:
        print(json.dumps(verify(source.read(), sys.argv[2])))
except (AssertionError, ValueError) as fault:
    print(fault, file=sys.stderr)
    sys.exit(1)
