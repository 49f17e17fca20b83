import pytest


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("skydex lightc", "lightcurve"),
        ("skydex cone mast-h", "mast-hsc"),
        ("skydex cone mast-hsc det", "detailed"),
        ("skydex columns {archive} my", "my.stars"),
        ("skydex query x y -f parq", "parquet"),
    ],
)
def test_the_shell_completes_what_is_begun(words, offered, archive, monkeypatch, skydex):
    words = words.format(archive=archive)
    for name, value in (
        ("_SKYDEX_COMPLETE", "complete_bash"),
        ("COMP_WORDS", words),
        ("COMP_CWORD", str(len(words.split()) - 1)),
    ):
        monkeypatch.setenv(name, value)
    assert offered in skydex().out.split()
