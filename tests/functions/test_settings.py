"""Settings: one table; a malformed variable is named; secrets never show."""

import pytest

from derivo.settings import SETTINGS, Settings, SettingsError, read

KEYS = {"TENCENTCLOUD_SECRETID": "AKIDx", "TENCENTCLOUD_SECRETKEY": "SKsecret", "TENCENTCLOUD_SESSIONTOKEN": "TOKEN"}


def test_the_defaults_are_the_clouds() -> None:
    found = read({})
    assert (found.scheme, found.proxy, found.call_timeout) == ("https", None, 60.0)


def test_every_setting_of_the_table_is_read() -> None:
    assert {setting.attribute for setting in SETTINGS} == set(Settings.__struct_fields__)
    found = read({**KEYS, "DERIVO_COS_SCHEME": "http", "DERIVO_COS_PROXY": "http://127.0.0.1:9000/"})
    assert (found.secret_id, found.secret_key, found.token) == ("AKIDx", "SKsecret", "TOKEN")
    assert (found.scheme, found.proxy) == ("http", "http://127.0.0.1:9000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DERIVO_COS_SCHEME", "ftp"),
        ("DERIVO_COS_PROXY", "127.0.0.1:9000"),
        ("DERIVO_CALL_TIMEOUT", "soon"),
        ("DERIVO_CALL_TIMEOUT", "0"),
        ("DERIVO_CALL_TIMEOUT", "901"),
    ],
)
def test_a_malformed_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read({name: value})


@pytest.mark.parametrize("missing", ["TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY"])
def test_missing_credentials_are_named_with_the_mend(missing: str) -> None:
    found = read({name: value for name, value in KEYS.items() if name != missing})
    with pytest.raises(SettingsError, match=rf"{missing} not set.*execution role"):
        found.require_credentials()


def test_settings_do_not_show_their_secrets() -> None:
    shown = repr(read(KEYS))
    assert "SKsecret" not in shown
    assert "TOKEN" not in shown
