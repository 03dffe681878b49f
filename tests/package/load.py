"""Clients of one address until standard input ends: half connect anew for each request. Prints how many requests were
answered, and what failed. Runs within the machine: usage: load.py ADDRESS"""

import http.client
import json
import sys
import threading

stop = threading.Event()
done, failures = [], []


def ask(address, is_kept):
    conn = None
    while not stop.wait(0.002):
        try:
            conn = conn or http.client.HTTPConnection(address, timeout=20)
            conn.request("GET", "/v1/sys/health")
            answer = conn.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            done.append(1)
            if is_kept and answer.getheader("Connection", "") != "close":
                continue
        except (OSError, AssertionError, http.client.HTTPException) as error:
            failures.append(repr(error))
        conn.close()
        conn = None


clients = [threading.Thread(target=ask, args=(sys.argv[1], kept)) for kept in (True, False) * 3]
for each in clients:
    each.start()
while sys.stdin.readline():
    print(len(done), flush=True)
stop.set()
for each in clients:
    each.join()
print(json.dumps({"done": len(done), "failures": failures}), flush=True)
