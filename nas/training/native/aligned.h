// Memory that begins at a cache line, so that no vector straddles two; where it is large, at a large page, since lines
// that are read in any order would miss the processor's table of small ones nearly every time.
#pragma once

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <cstddef>
#include <new>
#include <vector>

namespace wirenas {

constexpr std::size_t kLargePage = std::size_t(1) << 21;

constexpr std::align_val_t alignment_of(std::size_t n_bytes) {
  return std::align_val_t(n_bytes < 2 * kLargePage ? 64 : kLargePage);
}

template <typename T>
struct CacheLineAllocator {
  using value_type = T;

  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t n_bytes = count * sizeof(T);
    void* const memory = ::operator new(n_bytes, alignment_of(n_bytes));
#ifdef __linux__
    if (n_bytes >= 2 * kLargePage) madvise(memory, n_bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, alignment_of(count * sizeof(T))); }
  template <typename U>
  bool operator==(const CacheLineAllocator<U>&) const {
    return true;
  }
  template <typename U>
  bool operator!=(const CacheLineAllocator<U>&) const {
    return false;
  }
};

template <typename T>
using Aligned = std::vector<T, CacheLineAllocator<T>>;

}  // namespace wirenas
