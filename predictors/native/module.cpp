// The Python module of the compiled features and of fitted trees. Whatever they are given is checked.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

void bind_features(nb::module_& m);
void bind_trees(nb::module_& m);

NB_MODULE(_native, m) {
  bind_features(m);
  bind_trees(m);
}
