#include "timer_queue.h"

#include "bellwether/base/assert.h"

namespace bellwether::net {

void TimerQueue::insert(TimerEntry& entry) {
  BW_ASSERT(!entry.is_queued());
  entry.order = next_order_++;
  heap_.push_back(&entry);
  put(heap_.size() - 1, &entry);
  rise(entry.place);
}

void TimerQueue::remove(TimerEntry& entry) {
  if (!entry.is_queued()) return;
  const std::size_t hole = entry.place;
  TimerEntry* const last = heap_.back();
  heap_.pop_back();
  entry.place = TimerEntry::kNowhere;
  if (last == &entry) return;
  put(hole, last);
  rise(hole);
  sink(last->place);
}

void TimerQueue::put(std::size_t place, TimerEntry* entry) {
  heap_[place] = entry;
  entry->place = place;
}

void TimerQueue::rise(std::size_t place) {
  TimerEntry* const entry = heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!before(*entry, *heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void TimerQueue::sink(std::size_t place) {
  TimerEntry* const entry = heap_[place];
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

}  // namespace bellwether::net
