"""Settings: where they come from, which one wins, and what is refused."""

from __future__ import annotations

from dataclasses import fields

import pytest

from skydex.errors import SettingsError
from skydex.settings import Settings, load_settings, login_of_environment, settings_table


def test_defaults_hold_where_nothing_is_said(tmp_path):
    assert load_settings(tmp_path, environ={}) == Settings()


def test_the_file_in_the_archive_is_read(tmp_path):
    (tmp_path / "skydex.toml").write_text('port = 9000\ntitle = "M31"\nquery_time_s = 5\naccess_log = true\n')
    settings = load_settings(tmp_path, environ={})
    assert (settings.port, settings.title, settings.query_time_s, settings.access_log) == (9000, "M31", 5.0, True)


def test_flags_win_over_the_environment_and_the_environment_over_the_file(tmp_path):
    (tmp_path / "skydex.toml").write_text('port = 1\nhost = "a"\ntitle = "file"\n')
    environ = {"SKYDEX_PORT": "2", "SKYDEX_HOST": "b", "PATH": "/bin"}
    settings = load_settings(tmp_path, environ=environ, flags={"port": 3, "title": None})
    assert (settings.port, settings.host, settings.title) == (3, "b", "file")


def test_an_unknown_key_is_refused_with_near_names(tmp_path):
    (tmp_path / "skydex.toml").write_text("prot = 1\n")
    with pytest.raises(SettingsError, match=r'no setting "prot" \(skydex.toml\). Did you mean port'):
        load_settings(tmp_path, environ={})


def test_an_unknown_variable_names_itself():
    with pytest.raises(SettingsError, match="SKYDEX_QUERY_TIME"):
        load_settings(environ={"SKYDEX_QUERY_TIME": "3"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", "many"),
        ("port", -1),
        ("port", 70000),
        ("port", True),
        ("query_time_s", "nan"),
        ("query_memory_mb", 0),
        ("max_rows_default", 20_000_000),
        ("log_level", "loud"),
        ("access_log", "perhaps"),
        ("title", 3),
        ("base_url", "javascript:alert(1)"),
        ("base_url", "http://a\r\nX: y"),
        ("base_url", "http://a/?q"),
        ("processes", 1_000),
    ],
)
def test_an_impossible_value_is_refused_by_name(key, value):
    with pytest.raises(SettingsError, match=key):
        load_settings(environ={}, flags={key: value})


def test_a_missing_or_broken_configuration_file_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="nowhere"):
        load_settings(config=tmp_path / "nowhere.toml", environ={})
    (tmp_path / "broken.toml").write_text("port = = 3")
    with pytest.raises(SettingsError, match="broken"):
        load_settings(config=tmp_path / "broken.toml", environ={})


def test_the_public_address_has_no_slash_at_its_end():
    assert Settings(base_url="https://archive.example/x/").public_url == "https://archive.example/x"
    assert Settings(port=80).public_url == "http://127.0.0.1:80"


def test_every_setting_has_its_line_in_the_table():
    table = settings_table()
    for key in fields(Settings):
        assert f"| `{key.name}` |" in table
        assert f"`SKYDEX_{key.name.upper()}` | " in table
    assert all(not row.endswith("|  |") for row in table.splitlines())


@pytest.mark.parametrize(
    ("base_url", "proxies", "tells"),
    [
        (None, "", True),
        ("https://archive.example", "", False),
        ("https://archive.example", "127.0.0.1, 0:0:0:0:0:0:0:1", True),
        ("http://archive.example:8642", "none", True),
    ],
)
def test_addresses_are_told_where_it_is_said_who_stands_in_front(base_url, proxies, tells):
    settings = Settings(base_url=base_url, trusted_proxies=proxies)
    assert settings.tells_addresses == tells
    assert settings.proxies == (frozenset({"127.0.0.1", "::1"}) if "," in proxies else frozenset())


@pytest.mark.parametrize("proxies", ["proxy.example", "10.0.0.0/8", "none, 127.0.0.1"])
def test_a_proxy_that_is_no_address_is_refused(proxies):
    with pytest.raises(SettingsError, match="trusted_proxies must be numeric addresses"):
        Settings(trusted_proxies=proxies)


@pytest.mark.parametrize(("text", "minutes"), [("1, 30, 500", (1, 30, 500)), ("60,2,60", (2, 60)), ("5", (5,))])
def test_queues_are_named_by_their_minutes(text, minutes):
    assert Settings(casjobs_queues=text).queue_minutes == minutes


@pytest.mark.parametrize("text", ["", "1,", "0", "-5", "1.5", "an hour", "9999999", "１"])
def test_queues_that_cannot_be_are_refused(text):
    with pytest.raises(SettingsError, match="casjobs_queues must be whole minutes"):
        Settings(casjobs_queues=text)


def test_the_login_of_clients_is_no_setting_of_an_archive():
    environ = {"SKYDEX_USER": "alice", "SKYDEX_PASSWORD": "secret", "SKYDEX_PORT": "80"}
    assert load_settings(environ=environ).port == 80
    assert login_of_environment(environ) == ("alice", "secret")
    assert login_of_environment({"SKYDEX_USER": "alice"}) is None
