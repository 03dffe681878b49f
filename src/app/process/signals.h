#pragma once

#include <initializer_list>

namespace bellwether::app {

// The signals of `run`, as the reference lists them. All are blocked and read as events, so none of them ends the
// process by its default action.
void block_run_signals();  // before any thread is started

enum class SignalAction { kTerminate, kReload, kIgnore };
[[nodiscard]] SignalAction action_of(int signal);

[[nodiscard]] std::initializer_list<int> run_signals();

}  // namespace bellwether::app
