"""Verifies a receipt or an evidence bundle as docs/log.md says: independent-verifier.py FILE VKEY [NAME=WITNESS-VKEY | NAME=ROOTS.pem]…

Prints the records; exit 1 when it does not hold."""

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


def read_vkey(vkey, kind=1):
    name, key_id, key = vkey.split("+", 2)
    typed = base64.b64decode(key, validate=True)
    assert typed[0] == kind and len(typed) == 33, "a key of another kind"
    assert sha256(name.encode() + b"\n" + typed)[:4].hex() == key_id, "the ID of the key is not its own"
    return name, key_id, typed[1:]


def signature_lines(signatures):
    for line in signatures.removesuffix("\n").split("\n"):
        dash, signer, encoded = line.split(" ")
        assert dash == "\u2014", "no signature line"
        decoded = base64.b64decode(encoded, validate=True)
        yield signer, decoded[:4].hex(), decoded[4:]


def open_note(note, vkeys):
    known = {(name, key_id): key for name, key_id, key in map(read_vkey, vkeys)}
    assert note.endswith("\n"), "no note"
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    signed = False
    for signer, key_id, signature in signature_lines(signatures):
        key = known.get((signer, key_id))
        if key is None:
            continue
        assert ed25519(key, signature, text.encode()), "a false signature"
        signed = True
    assert signed, "not signed by a trusted key"
    return text


def open_head(note, vkeys):
    origin = note.split("\n")[0]
    origin, size, root = open_note(note, [vkey for vkey in vkeys if vkey.split("+")[0] == origin]).split("\n")[:3]
    return origin, int(size), base64.b64decode(root, validate=True)


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
    _, size, root = open_head(note, [vkey])
    leaf = base64.b64decode(extra[6:], validate=True)
    climb(leaf, int(index[6:]), size, [base64.b64decode(line, validate=True) for line in path], root)
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


def continues(m, n, path, older, newer):
    assert 0 <= m <= n, "the smaller tree is the larger"
    if m in (0, n):
        assert path == [] and (m == 0 or older == newer), "another history"
        return
    i, last = m - 1, n - 1
    while i % 2 == 1:
        i, last = i // 2, last // 2
    if i == 0:
        a = b = older
    else:
        assert path, "the consistency proof is too short"
        a = b = path.pop(0)
    for p in path:
        assert last != 0, "the consistency proof is too long"
        if i % 2 == 1 or i == last:
            a, b = sha256(b"\1" + p + a), sha256(b"\1" + p + b)
            while i % 2 == 0 and i != 0:
                i, last = i // 2, last // 2
        else:
            b = sha256(b"\1" + b + p)
        i, last = i // 2, last // 2
    assert last == 0 and a == older and b == newer, "another history"


def cosigned(witness, vkey):
    name, key_id, key = read_vkey(vkey, 4)
    text = witness["checkpoint"].rsplit("\n\n", 1)[0] + "\n"
    cosigned_text, signatures = witness["evidence"].rsplit("\n\n", 1)
    assert witness["form"] == "text" and cosigned_text + "\n" == text, "a cosignature over another head"
    for signer, signer_id, rest in signature_lines(signatures):
        if (signer, signer_id) != (name, key_id) or len(rest) != 72:
            continue
        time = int.from_bytes(rest[:8], "big")
        if ed25519(key, rest[8:], f"cosignature/v1\ntime {time}\n{text}".encode()):
            return
    raise AssertionError("not cosigned by the key of the witness")


def stamped(witness, roots):
    assert witness["form"] == "base64", "no time stamp"
    with tempfile.TemporaryDirectory() as folder:
        token, data = os.path.join(folder, "token"), os.path.join(folder, "data")
        with open(token, "wb") as file:
            file.write(base64.b64decode(witness["evidence"], validate=True))
        with open(data, "wb") as file:
            file.write(witness["checkpoint"].encode())
        command = ["openssl", "ts", "-verify", "-token_in", "-in", token, "-data", data, "-CAfile", roots]
        assert subprocess.run(command, capture_output=True).returncode == 0, "the time stamp does not hold"


FIXED = {"TOM-TAT.txt", "records.jsonl", "proof.jsonl", "checkpoint", "keys.json", "manifest.json"}


def hands_over(step, origin):
    text = "\n".join(["lgsp-log-key-hand-over@v1", origin, step["from"], step["to"], ""])
    try:
        return read_vkey(step["to"])[0] == origin and open_note(step["note"], [step["from"]]) == text
    except AssertionError:
        return False


def verify_bundle(path, vkey, witnesses):
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
        if step["from"] in trusted and hands_over(step, vkey.split("+")[0]):
            trusted.append(step["to"])
    origin, size, root = open_head(files["checkpoint"].decode(), trusted)
    assert (origin, size) == (manifest["origin"], manifest["size"]), "the manifest is about another checkpoint"
    records, nodes = lines(files["records.jsonl"]), lines(files["proof.jsonl"])
    places = [one["index"] for one in records]
    assert places == sorted(set(places)) and len(places) == manifest["records"], "out of order, or not as many as listed"
    assert all(0 <= place < size for place in places), "a record outside of the tree"
    prove(records, nodes, 0, size, root)
    assert nodes == [], "the proof goes on"
    there = [json.loads(files[name]) for name in names if name.startswith("witnesses/")]
    for witness in there:
        _, seen, seen_root = open_head(witness["checkpoint"], trusted)
        assert seen == witness["size"] and f"witnesses/{witness['name']}.json" in names, "a witness of another head"
        (m, older), (n, newer) = sorted([(seen, seen_root), (size, root)], key=lambda head: head[0])
        continues(m, n, [base64.b64decode(p, validate=True) for p in witness["consistency"]], older, newer)
    for name, trust in witnesses:
        (witness,) = [one for one in there if one["name"] == name] or [None]
        assert witness is not None, f"nothing of the witness {name}"
        stamped(witness, trust) if os.path.exists(trust) else cosigned(witness, trust)
    return [json.loads(one["leaf"]) for one in records]


try:
    if zipfile.is_zipfile(sys.argv[1]):
        print(json.dumps(verify_bundle(sys.argv[1], sys.argv[2], [one.split("=", 1) for one in sys.argv[3:]])))
    else:
        with open(sys.argv[1], encoding="utf-8", newline="") as source:
            print(json.dumps(verify(source.read(), sys.argv[2])))
except (AssertionError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as fault:
    print(fault, file=sys.stderr)
    sys.exit(1)
