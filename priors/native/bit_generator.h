// numpy's interface to its bit generators (numpy/random/bitgen.h), which every compiled part draws from.
#pragma once

#include <cstdint>

namespace wirenas {

struct BitGenerator {
  void* state;
  uint64_t (*next_uint64)(void*);
  uint32_t (*next_uint32)(void*);
  double (*next_double)(void*);
  uint64_t (*next_raw)(void*);

  double uniform() { return next_double(state); }
  int64_t below(int64_t n) { return int64_t(uniform() * double(n)); }
};

}  // namespace wirenas
