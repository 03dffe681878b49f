"""Several instances on one machine: each has a control socket of its own, and a command reaches the one that is meant."""

import os

import pytest

from house.bellwether import LOOPBACK, Bellwether

AUTOMATIC = {"BELLWETHER_CONTROL": ""}


@pytest.fixture
def place(tmp_path):
    if os.access("/run/bellwether", os.W_OK):
        pytest.skip("/run/bellwether is there, and goes before XDG_RUNTIME_DIR")
    made = tmp_path / "run"
    made.mkdir()
    return {"XDG_RUNTIME_DIR": str(made), **AUTOMATIC}


def start(folder, place, name, leader):
    return Bellwether(folder, [*LOOPBACK, leader], env=place, name=name).wait_ready()


def admin_of(proxy):
    return proxy.admin.split("//")[-1]


def is_paused(proxy):
    return proxy.status()["paused_until"] is not None


def test_a_command_reaches_the_instance_that_is_chosen(fake_leader, tmp_path, place, command):
    def pause(*words, **env):
        return command("pause", *words, env={**os.environ, **place, **env})

    with start(tmp_path, place, "one", fake_leader) as one:
        assert pause().returncode == 0
        assert is_paused(one)
        assert command("resume", env={**os.environ, **place}).returncode == 0
        with start(tmp_path, place, "two", fake_leader) as two:
            unclear = pause()
            assert unclear.returncode == 1
            assert admin_of(one) in unclear.stderr and admin_of(two) in unclear.stderr
            assert "--admin" in unclear.stderr
            assert not is_paused(one) and not is_paused(two)
            assert pause("--admin", admin_of(two)).returncode == 0
            assert is_paused(two) and not is_paused(one)
            assert command("resume", env={**os.environ, **place, "BELLWETHER_ADMIN": admin_of(two)}).returncode == 0
            assert pause(BELLWETHER_ADMIN=f"http://{admin_of(one)}/").returncode == 0
            assert is_paused(one) and not is_paused(two)
            missing = pause("--admin", "127.0.0.1:1")
            assert missing.returncode == 1
            assert "no instance has the admin address 127.0.0.1:1" in missing.stderr
        # The second has ended: only one is left.
        assert command("resume", env={**os.environ, **place}).returncode == 0
        assert not is_paused(one)


def test_commands_reach_their_unit(fake_leader, tmp_path, place, command):
    def unit(name):
        folder = tmp_path / name
        folder.mkdir()
        return {**place, "RUNTIME_DIRECTORY": f"{folder}:/elsewhere"}

    main, second, third = unit("bellwether"), unit("bellwether@2"), unit("bellwether@3")
    with start(tmp_path, main, "one", fake_leader) as one, start(tmp_path, second, "two", fake_leader) as two:
        (socket,) = (tmp_path / "bellwether@2").iterdir()
        assert socket.name == f"control@{admin_of(two)}.sock"
        assert command("pause", env={**os.environ, **second}).returncode == 0
        assert is_paused(two) and not is_paused(one)
        assert command("resume", env={**os.environ, **third}).returncode == 1, "nobody is there"
        another = {**place, "RUNTIME_DIRECTORY": str(tmp_path / "run")}
        assert command("resume", env={**os.environ, **another}).returncode == 1, "no unit of ours"
        assert is_paused(two)


def test_the_socket_of_a_killed_instance_confuses_nobody(fake_leader, tmp_path, place, command):
    killed = start(tmp_path, place, "killed", fake_leader)
    killed.process.kill()
    killed.process.wait(10)
    assert list((tmp_path / "run").iterdir())
    with start(tmp_path, place, "one", fake_leader) as one:
        assert command("pause", env={**os.environ, **place}).returncode == 0
        assert is_paused(one)


def test_without_a_place_for_the_socket_the_start_says_how_to_get_one(fake_leader, tmp_path):
    if os.access("/run/bellwether", os.W_OK):
        pytest.skip("/run/bellwether is there")
    with Bellwether(tmp_path, [*LOOPBACK, fake_leader], env={"XDG_RUNTIME_DIR": "", **AUTOMATIC}) as proxy:
        proxy.wait_ready()
        (event,) = proxy.events("control_off")
        assert event.level == "WARN"
        assert "RuntimeDirectory=bellwether" in event.fields["why"]
