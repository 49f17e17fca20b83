"""Damage of every kind is found and named (R12)."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from skydex.store import Layout, open_dataset, verify

SMALL = Layout(rows_per_partition=300, rows_per_group=100)


@pytest.fixture
def dataset(writer):
    return writer.dataset(writer.scattered(2_000), layout=SMALL)


def files_of(dataset):
    return sorted(path for path in Path(dataset.directory).rglob("*") if path.is_file())


def test_a_sound_catalogue_has_no_damage(dataset):
    seen = []
    assert verify(dataset, progress=lambda done, total: seen.append((done, total))) == []
    assert seen[-1][0] == seen[-1][1] == len(files_of(dataset)) - 2


def test_r12_200_truncations_and_flipped_bits_are_all_found(dataset):
    rng = random.Random(12)
    files = files_of(dataset)
    for case in range(200):
        victim = rng.choice(files)
        sound = victim.read_bytes()
        if case % 4 == 0:
            victim.write_bytes(sound[: rng.randrange(len(sound))])
        else:
            broken = bytearray(sound)
            broken[rng.randrange(len(sound))] ^= 1 << rng.randrange(8)
            victim.write_bytes(broken)
        found = verify(dataset)
        assert found, f"case {case}: damage to {victim.name} was not found"
        if victim.name not in ("manifest.json", "manifest.sha256"):
            assert [damage.file for damage in found] == [victim.relative_to(dataset.directory).as_posix()]
        victim.write_bytes(sound)
    assert verify(dataset) == []


def test_missing_and_surplus_files_are_found(dataset):
    victim = dataset.partitions[5]
    Path(victim.file).unlink()
    Path(dataset.directory, "dataset/extra.parquet").write_bytes(b"x")
    surplus, missing = verify(dataset)
    assert (surplus.file, surplus.problem) == ("dataset/extra.parquet", "nobody published this file")
    assert missing.partition == f"Norder={victim.order}/Npix={victim.pixel}"
    assert str(missing) == f"sky.objects, {missing.partition}: the file is missing"


def test_a_catalogue_without_its_manifest_is_damaged(dataset):
    for name in ("manifest.json", "manifest.sha256"):
        Path(dataset.directory, name).unlink()
    assert [damage.problem for damage in verify(dataset)] == ["the manifest is missing"]


def test_a_foreign_catalogue_is_decoded_and_counted(shared_data, tmp_path):
    shutil.copytree(shared_data / "hats/small_sky_source", tmp_path / "c", copy_function=shutil.copy)
    dataset = open_dataset(tmp_path / "c", name="f.t")
    assert verify(dataset) == []
    victim = Path(dataset.partitions[0].file)
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:-9])
    problems = [damage.problem for damage in verify(dataset)]
    assert problems[0] == "it cannot be read as Parquet"
    assert "instead of 17,161" in problems[1]
