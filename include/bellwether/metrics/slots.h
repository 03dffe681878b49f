#pragma once

#include <array>
#include <string_view>

#include "bellwether/metrics/catalogue.h"

// The slots that the rows of rows.def name: one struct for each place that counts, whose all() says which metric each
// slot belongs to. The cells of what workers count are atomic counters in the worker and plain numbers in the sum.
namespace bellwether::metrics {

template <typename Slots, typename Cell>
struct Slot {
  Metric metric;
  std::string_view label;  // the value of the metric's one label; empty: the row names none
  Cell Slots::*cell;
};

// Counted by workers.
template <typename Cell>
struct WorkerSlots {
#define BW_WORKER_SLOT(metric, slot, label) Cell slot{};
#include "bellwether/metrics/rows.def"

  [[nodiscard]] static constexpr auto all() {
#define BW_WORKER_SLOT(metric, slot, label) Slot<WorkerSlots, Cell>{Metric::metric, label, &WorkerSlots::slot},
    return std::array{
#include "bellwether/metrics/rows.def"
    };
  }
};

// Counted by workers for http listeners.
template <typename Cell>
struct HttpSlots {
#define BW_HTTP_SLOT(metric, slot, label) Cell slot{};
#include "bellwether/metrics/rows.def"

  [[nodiscard]] static constexpr auto all() {
#define BW_HTTP_SLOT(metric, slot, label) Slot<HttpSlots, Cell>{Metric::metric, label, &HttpSlots::slot},
    return std::array{
#include "bellwether/metrics/rows.def"
    };
  }
};

// Counted by workers for each node.
template <typename Cell>
struct NodeSlots {
#define BW_NODE_SLOT(metric, slot, label) Cell slot{};
#include "bellwether/metrics/rows.def"

  [[nodiscard]] static constexpr auto all() {
#define BW_NODE_SLOT(metric, slot, label) Slot<NodeSlots, Cell>{Metric::metric, label, &NodeSlots::slot},
    return std::array{
#include "bellwether/metrics/rows.def"
    };
  }
};

// Counted for a cluster by the control thread, or read there when a scrape is made. Times in seconds, yes and no as 1
// and 0.
struct ControlValues {
#define BW_CONTROL_SLOT(metric, slot, label) double slot = 0;
#include "bellwether/metrics/rows.def"

  [[nodiscard]] static constexpr auto all() {
#define BW_CONTROL_SLOT(metric, slot, label) Slot<ControlValues, double>{Metric::metric, label, &ControlValues::slot},
    return std::array{
#include "bellwether/metrics/rows.def"
    };
  }
};

// Of what there is once in a process, however many clusters it serves; likewise.
struct ProcessValues {
#define BW_PROCESS_SLOT(metric, slot, label) double slot = 0;
#include "bellwether/metrics/rows.def"

  [[nodiscard]] static constexpr auto all() {
#define BW_PROCESS_SLOT(metric, slot, label) Slot<ProcessValues, double>{Metric::metric, label, &ProcessValues::slot},
    return std::array{
#include "bellwether/metrics/rows.def"
    };
  }
};

}  // namespace bellwether::metrics
