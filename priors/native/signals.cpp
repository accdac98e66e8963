#include <nanobind/nanobind.h>

#include <chrono>

#include "checks.h"

namespace wirenas {

void heed_signals() {
  using Clock = std::chrono::steady_clock;
  thread_local Clock::time_point next{};
  const Clock::time_point now = Clock::now();
  if (now < next) return;
  next = now + std::chrono::milliseconds(100);
  const nanobind::gil_scoped_acquire held;
  if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
}

}  // namespace wirenas
