"""
Several people label through a small web application
====================================================

Four people label images of handwritten digits. A small web server, built from the
standard library, hands out the images and takes the labels. Behind it is one
``LabelingLoop``: it leases images to each worker, so that nobody labels an image that
somebody else is looking at, and writes each answer to a file at once.

Two things go wrong. One worker takes five images and never comes back: others get them
when the lease has expired. And the server is stopped and started again: all labels are
there, and the workers hardly notice.

Run it with ``python label_with_a_web_app.py``. The people are threads here, and the
leases last for half a second. The :ref:`user guide <web_app>` explains each part, and
why such a server must not be exposed to a network.
"""

import json
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.datasets import hide_labels

BUDGET = 120
LEASE_SECONDS = 0.5  # people need some minutes
MAX_BYTES = 10_000

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.5, stratify=y, random_state=0
)
names = np.array([f"image {number}" for number in range(len(X_train))])
clf = ActiveLearningClassifier(
    LogisticRegression(max_iter=1000),
    strategy="margin",
    batch_size=20,
    budget=BUDGET,
    random_state=0,
)


def open_loop(path):
    """Start a session, or continue the one in the file."""
    y_known = hide_labels(y_train, 20, random_state=0)
    return LabelingLoop(clf, X_train, y_known, sample_ids=names, session=path)


# The application: two requests.
def ask(loop, worker, n):
    query = loop.ask(n, worker=worker, lease_seconds=LEASE_SECONDS)
    if query is None:  # the end of the run; no rows: nothing for this worker now
        return {"done": True}
    rows = dict(zip(query.sample_ids.tolist(), query.X.tolist(), strict=True))
    return {"done": False, "rows": rows}


def tell(loop, worker, labels):
    labels = dict(labels)
    loop.tell(list(labels.values()), sample_ids=list(labels), annotator=worker)
    return {"told": len(labels)}


class Handler(BaseHTTPRequestHandler):
    routes = {"/ask": ask, "/tell": tell}
    timeout = 10  # seconds without a word from the client

    def do_POST(self):
        try:
            reply = self.routes[self.path](self.server.loop, **self.read())
            status = 200
        except (LookupError, TypeError, ValueError) as error:
            status, reply = 400, {"error": str(error)}
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def read(self):
        length = int(self.headers["Content-Length"])
        if not 0 <= length <= MAX_BYTES:
            raise ValueError(f"A request has at most {MAX_BYTES} bytes.")
        body = self.rfile.read(length)
        # A browser does not let other sites send this type to our address.
        if self.headers.get_content_type() != "application/json":
            raise ValueError("A request is JSON.")
        if self.headers["Host"] != f"127.0.0.1:{self.server.server_port}":
            raise ValueError("This server has another name.")
        return json.loads(body)

    def log_message(self, *args):
        pass


class LabelServer(ThreadingHTTPServer):
    daemon_threads = False  # stopping waits for requests that are being answered

    def __init__(self, loop, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.loop = loop
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


# The workers: people at a browser, each with a name and a speed.
opener = build_opener(ProxyHandler({}))  # 127.0.0.1 is not behind a proxy


def post(port, route, **fields):
    """Send a request; try again for a while if there is no server."""
    request = Request(
        f"http://127.0.0.1:{port}{route}",
        data=json.dumps(fields).encode(),
        headers={"Content-Type": "application/json"},
    )
    for _ in range(500):
        try:
            with opener.open(request, timeout=30) as response:
                return json.load(response)
        except HTTPError:  # the server has refused the request
            raise
        except (URLError, ConnectionError):
            time.sleep(0.02)
    raise ConnectionError("The server does not come back.")


def work(port, worker, seconds_per_image):
    """Label images until the run has ended; return the number of labels told."""
    n_told = 0
    while not (reply := post(port, "/ask", worker=worker, n=3))["done"]:
        labels = {}
        for name in reply["rows"]:
            time.sleep(seconds_per_image)
            labels[name] = y_train[names == name].item()
        if labels:
            n_told += post(port, "/tell", worker=worker, labels=labels)["told"]
        else:
            time.sleep(0.02)  # the others have all images that are left
    return n_told


SPEEDS = {"Ann": 0.01, "Bob": 0.02, "Cem": 0.04}  # seconds for an image

with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
    path = Path(folder) / "digits.db"
    server = LabelServer(open_loop(path))
    port = server.server_port

    # Dan takes five images, and never comes back.
    dans_images = post(port, "/ask", worker="Dan", n=5)["rows"]
    print(f"Dan goes home with {', '.join(dans_images)}.")

    shifts = {name: pool.submit(work, port, name, SPEEDS[name]) for name in SPEEDS}
    time.sleep(1)

    # Stop the server, and start it again. Its leases are lost. An image that
    # somebody has at this moment may be given to others, too: the first label counts.
    server.stop()
    loop = open_loop(path)
    print(f"The server was stopped. The file has {loop.finish().n_queries_} labels.")
    server = LabelServer(loop, port)

    n_told = {name: shift.result() for name, shift in shifts.items()}
    server.stop()
    fitted = server.loop.finish()

for worker, n_labels in n_told.items():
    print(f"{worker} told {n_labels:3} labels.")
labelled = np.isin(names, list(dans_images))
print(
    f"Labels bought: {fitted.n_queries_}, with those of the images that Dan took: "
    f"{np.sum(fitted.transduction_[labelled] != -1)} of {len(dans_images)}.\n"
    f"The classifier is right on {fitted.score(X_test, y_test):.1%} of new images."
)
