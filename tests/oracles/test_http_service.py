"""A service as the oracle: it fails, stalls and lies, and what was paid is kept."""

import functools
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.exceptions import OracleError
from skactive.oracles import MajorityOracle

X = np.linspace(0, 1, 21).reshape(-1, 1)
truth = (X[:, 0] > 0.5).astype(int)
y = np.full(21, -1)
y[[0, 20]] = 0, 1


def reply_truth(rows):
    return [{"label": int(row[0] > 0.5), "confidence": 0.9} for row in rows]


class Service:
    """A server on loopback that follows a script, call by call.

    An entry is None for the truth, an int for an HTTP status, a function from rows to
    the replies, bytes for a body, or "stall" or "hang up"; the last one is repeated.
    """

    def __init__(self, url):
        self.url = url
        self.script = [None]
        self.n_requests = 0
        self.n_paid = 0
        self.closing = threading.Event()

    def answer(self, handler):
        rows = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        action = self.script[min(self.n_requests, len(self.script) - 1)]
        self.n_requests += 1
        if action == "stall":
            self.closing.wait(30)
        if action in ("stall", "hang up"):
            handler.close_connection = True
            return
        if isinstance(action, int):
            handler.send_error(action)
            return
        if not isinstance(action, bytes):
            self.n_paid += len(rows)
            action = json.dumps((action or reply_truth)(rows)).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(action)))
        handler.end_headers()
        handler.wfile.write(action)


@pytest.fixture
def service():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            service.answer(self)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service = Service(f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield service
    service.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


def post(url, rows, timeout):
    request = Request(url, json.dumps(rows).encode(), method="POST")
    # No proxy of the machine stands between a test and its own server.
    with build_opener(ProxyHandler({})).open(request, timeout=timeout) as response:
        return json.load(response)


def retrying(ask, times=3, on=(ConnectionError, TimeoutError)):
    """Call again after a failure that may pass."""

    @functools.wraps(ask)  # keeps the signature, and with it the keywords
    def ask_again(*args, **kwargs):
        for left in reversed(range(times)):
            try:
                return ask(*args, **kwargs)
            except on as error:
                if not left or getattr(error, "code", 503) < 500:
                    raise
                time.sleep(0.01)

    return ask_again


def batch_oracle(service, *, retry=False, timeout=5.0, threshold=0.0):
    """One request for each batch."""

    def ask(X):
        replies = post(service.url, X.tolist(), timeout)
        return [r["label"] if r["confidence"] >= threshold else None for r in replies]

    return retrying(ask, on=(OSError,)) if retry else ask


def row_oracle(service, *, retry=False, timeout=5.0):
    """One request for each row; a label is recorded before the next request."""

    def label_of(row):
        (reply,) = post(service.url, [row], timeout)
        return reply["label"]

    if retry:
        label_of = retrying(label_of, on=(OSError,))

    def ask(X):
        for row in X.tolist():
            yield label_of(row)

    return ask


def make_clf(oracle, **params):
    params = {"batch_size": 4, "budget": 8, "random_state": 0} | params
    return ActiveLearningClassifier(LogisticRegression(), oracle=oracle, **params)


def assert_kept(clf, error, n_labels):
    """Check that labels are in the error and in the classifier, and are right."""
    assert len(error.labels) == len(error.indices) == n_labels
    np.testing.assert_array_equal(error.labels, truth[error.indices])
    np.testing.assert_array_equal(clf.transduction_[error.indices], error.labels)
    assert (clf.transduction_ != -1).sum() == 2 + n_labels


@pytest.mark.parametrize("make_oracle", [batch_oracle, row_oracle])
def test_a_service_that_works_is_asked_once_for_each_row(service, make_oracle):
    clf = make_clf(make_oracle(service)).fit(X, y)
    np.testing.assert_array_equal(
        clf.transduction_[clf.query_indices_], truth[clf.query_indices_]
    )
    assert service.n_paid == 8


BROKEN = [
    (500, "HTTPError: HTTP Error 500"),
    (401, "HTTPError: HTTP Error 401"),
    ("hang up", "RemoteDisconnected"),
    (b"<html>try later</html>", "JSONDecodeError"),
    (b'[{"label": 1, "confid', "JSONDecodeError"),
    (b'[{"text": "I cannot label this."}]', "KeyError: '(label|confidence)'"),
]


@pytest.mark.parametrize(("action", "message"), BROKEN, ids=repr)
def test_a_failure_in_round_two_keeps_round_one(service, action, message):
    service.script = [None, action]
    clf = make_clf(batch_oracle(service))
    with pytest.raises(OracleError, match=f"The oracle raised {message}") as caught:
        clf.fit(X, y)
    assert_kept(clf, caught.value, 4)
    assert service.n_requests == 2


@pytest.mark.parametrize(("action", "message"), BROKEN, ids=repr)
def test_a_failure_within_a_batch_keeps_the_rows_before_it(service, action, message):
    service.script = [None] * 6 + [action]
    clf = make_clf(row_oracle(service))
    with pytest.raises(OracleError, match=f"The oracle raised {message}") as caught:
        clf.fit(X, y)
    assert_kept(clf, caught.value, 6)
    assert clf.query_indices_.tolist() == caught.value.indices.tolist()
    assert service.n_requests == 7


def test_a_service_that_stalls_is_left_by_the_timeout_of_the_oracle(service):
    service.script = [None] * 5 + ["stall"]
    clf = make_clf(row_oracle(service, timeout=0.2))
    with pytest.raises(OracleError, match="The oracle raised TimeoutError") as caught:
        clf.fit(X, y)
    assert_kept(clf, caught.value, 5)


def test_a_service_that_is_not_there_is_an_error_of_the_first_call():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    def ask(X):
        return post(f"http://127.0.0.1:{port}/", X.tolist(), 5.0)

    clf = make_clf(ask)
    with pytest.raises(OracleError, match="The oracle raised URLError"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.transduction_, y)


def test_after_a_failure_the_run_goes_on_with_the_labels_it_has(service):
    service.script = [None] * 6 + [503, None]
    clf = make_clf(row_oracle(service))
    with pytest.raises(OracleError):
        clf.fit(X, y)
    clf.set_params(budget=2).fit(X, clf.transduction_)
    assert service.n_paid == 8
    assert (clf.transduction_ != -1).sum() == 10


@pytest.mark.parametrize(
    ("make_oracle", "failure"),
    [
        (batch_oracle, 503),
        (batch_oracle, "hang up"),
        pytest.param(batch_oracle, "stall", marks=pytest.mark.slow),
        (row_oracle, 503),
        (row_oracle, "hang up"),
        (row_oracle, "stall"),
    ],
)
def test_a_retry_by_the_caller_hides_what_passes(service, make_oracle, failure):
    service.script = [None, failure, failure, None]
    timeout = 1.0 if failure == "stall" else 10.0
    clf = make_clf(make_oracle(service, retry=True, timeout=timeout)).fit(X, y)
    assert clf.n_queries_ == 8
    assert service.n_paid == 8
    undisturbed = make_clf(lambda X: (X[:, 0] > 0.5).astype(int)).fit(X, y)
    np.testing.assert_array_equal(clf.query_indices_, undisturbed.query_indices_)


def test_a_retry_gives_up_after_its_last_time_and_nothing_is_lost(service):
    service.script = [None] * 6 + [503]
    clf = make_clf(row_oracle(service, retry=True))
    with pytest.raises(OracleError, match="HTTP Error 503") as caught:
        clf.fit(X, y)
    assert_kept(clf, caught.value, 6)
    assert isinstance(caught.value.__cause__, HTTPError)
    assert service.n_requests == 6 + 3


def test_what_does_not_pass_is_not_tried_again(service):
    service.script = [401]
    with pytest.raises(OracleError, match="HTTP Error 401"):
        make_clf(batch_oracle(service, retry=True)).fit(X, y)
    assert service.n_requests == 1


def test_a_retry_keeps_the_keywords_of_what_it_wraps():
    @retrying
    def ask(X, sample_ids):
        return truth[sample_ids]

    clf = make_clf(ask)
    assert clf.fit(X, y, sample_ids=np.arange(21)).n_queries_ == 8
    with pytest.raises(ValueError, match="requires sample_ids"):
        clf.fit(X, y)


@pytest.mark.parametrize("n_given", [0, 3, 5])
def test_replies_for_another_number_of_rows_are_not_guessed_at(service, n_given):
    service.script = [None, lambda rows: reply_truth([*rows, *rows][:n_given])]
    clf = make_clf(batch_oracle(service))
    with pytest.raises(OracleError, match=f"expected 4, got {n_given}") as caught:
        clf.fit(X, y)
    assert_kept(clf, caught.value, 4)
    assert len(caught.value.answers) == n_given


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        (7, "7 is not one of the classes"),
        ("positive", r"'positive' \(str\) cannot become a label of type int"),
        ([1, 0], r"\[1, 0\] of type list is not a label"),
        (0.7, "0.7 is not a class"),
    ],
)
def test_a_class_that_does_not_exist_is_refused_and_the_others_are_kept(
    service, lie, message
):
    def lying(rows):
        return [*reply_truth(rows[:-1]), {"label": lie, "confidence": 1.0}]

    service.script = [None, lying]
    clf = make_clf(batch_oracle(service), classes=[0, 1])
    with pytest.raises(OracleError, match=f"1 of 4 answers .*{message}") as caught:
        clf.fit(X, y)
    assert_kept(clf, caught.value, 7)
    assert caught.value.answers == [lie]


def test_low_confidence_is_an_abstention_and_is_not_asked_again(service):
    def unsure(rows):
        return [
            {"label": reply["label"], "confidence": abs(row[0] - 0.5) * 2}
            for row, reply in zip(rows, reply_truth(rows), strict=True)
        ]

    service.script = [unsure]
    clf = make_clf(batch_oracle(service, threshold=0.25)).fit(X, y)
    asked = clf.query_indices_
    is_unsure = abs(X[asked, 0] - 0.5) * 2 < 0.25
    assert is_unsure.any()
    np.testing.assert_array_equal(clf.transduction_[asked] == -1, is_unsure)
    assert sum(r["n_abstained"] for r in clf.history_) == is_unsure.sum()
    assert service.n_paid == len(set(asked)) == 8


def test_a_person_decides_where_two_services_disagree(service):
    def contrary(rows):
        return [reply | {"label": 0} for reply in reply_truth(rows)]

    by_person = []

    def person(X, sample_ids):
        by_person.extend(sample_ids)
        return truth[sample_ids]

    service.script = [None, contrary] * 2
    ask = batch_oracle(service)
    oracle = MajorityOracle([ask, ask, person], stop_early=True)
    clf = make_clf(oracle).fit(X, y, sample_ids=np.arange(21))
    asked = clf.query_indices_
    np.testing.assert_array_equal(clf.transduction_[asked], truth[asked])
    assert sorted(by_person) == sorted(asked[truth[asked] == 1])
