from coslocal.journal import Exchange, Journal
from coslocal.operations.configuration import CONFIGURATIONS
from coslocal.routes import ROUTES


def test_no_two_rows_answer_the_same_request() -> None:
    seen = [(row.method, row.level, row.sub_resource) for row in ROUTES]
    assert len(seen) == len(set(seen))


def test_an_operation_has_one_name() -> None:
    names = [(row.operation, row.function) for row in ROUTES if row.operation != "options_object"]
    assert len({name for name, _ in names}) == len(names)


def test_stored_configurations_can_be_put_read_and_deleted() -> None:
    rows = {(row.method, row.sub_resource): row.coverage for row in ROUTES if row.level == "bucket"}
    for configuration in CONFIGURATIONS:
        for method in ("GET", "PUT", "DELETE"):
            assert rows[method, configuration.name] in ("full", "stored only")


def test_the_journal_is_bounded_and_its_counts_are_not() -> None:
    journal = Journal(size=3)
    for n in range(10):
        journal.add(
            Exchange(
                time=0, method="GET", operation="get_object", bucket="b", key=str(n), status=200, error="",
                bytes_in=1, bytes_out=2, rules=0, request_id="r",
            )
        )  # fmt: skip
    assert [entry.key for entry in journal.entries()] == ["7", "8", "9"]
    assert journal.count("get_object") == 10
    assert journal.traffic() == (10, 20)
