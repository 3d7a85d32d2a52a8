from gateway.stores.remembered import MAX_REMEMBERED, Remembered


def test_versions_are_told_until_forgotten() -> None:
    remembered = Remembered()
    remembered.add(("a", "b"), 7)
    assert remembered.version("a") == 7
    remembered.forget("a")
    assert "a" not in remembered
    assert remembered.version("a") is None
    assert "b" in remembered


def test_the_oldest_go_first() -> None:
    remembered = Remembered()
    remembered.add(str(number) for number in range(MAX_REMEMBERED + 1))
    assert "0" not in remembered
    assert "1" in remembered
    assert str(MAX_REMEMBERED) in remembered
