#include "known_listeners.h"

#include <utility>

namespace bellwether::proxy {

void KnownListeners::set(std::shared_ptr<const ListenerTable> table, const std::vector<OpenListener>& open) {
  table_ = std::move(table);
  tls_.resize(table_->size());
  own_addresses_.clear();
  std::vector<bool> is_open(table_->size());
  for (const OpenListener& each : open) {
    if (!is_open[each.number]) own_addresses_.push_back(address(each.number));
    is_open[each.number] = true;
    if (each.keeps != each.number) tls_[each.number] = each.tls;
  }
}

void KnownListeners::set_tls(const std::shared_ptr<net::TlsContext>& tls) {
  for (std::size_t i = 0; i < tls_.size(); ++i) {
    if (may_speak_tls(options(i))) tls_[i] = tls;
  }
}

}  // namespace bellwether::proxy
