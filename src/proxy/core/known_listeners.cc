#include "known_listeners.h"

#include <algorithm>
#include <utility>

namespace bellwether::proxy {

void KnownListeners::set(std::shared_ptr<const ListenerTable> table, const std::vector<OpenListener>& open) {
  table_ = std::move(table);
  tls_.resize(table_->size());
  uses_.resize(table_->size());
  own_addresses_.clear();
  std::vector<bool> is_open(table_->size());
  for (const OpenListener& each : open) {
    if (!is_open[each.number]) own_addresses_.push_back(address(each.number));
    is_open[each.number] = true;
    tls_[each.number] = each.tls;
  }
  find_settings();
}

void KnownListeners::forget_closed_tls(const std::vector<OpenListener>& open) {
  std::vector<std::shared_ptr<net::TlsContext>> kept(tls_.size());
  for (const OpenListener& each : open) kept[each.number] = tls_[each.number];
  tls_ = std::move(kept);
}

std::vector<ListenerNumber> KnownListeners::unused(const std::vector<OpenListener>& open) const {
  std::vector<bool> is_needed(table_->size());
  for (const OpenListener& each : open) is_needed[each.number] = true;
  std::vector<ListenerNumber> found;
  for (std::size_t number = 0; number < table_->size(); ++number) {
    if (!is_needed[number] && uses_[number] == 0) found.push_back(static_cast<ListenerNumber>(number));
  }
  return found;
}

void KnownListeners::set_common(const SessionSettings& common) {
  common_ = &common;
  find_settings();
}

void KnownListeners::find_settings() {
  settings_.clear();
  for (const KnownListener& each : *table_) {
    settings_.push_back(each.options.own ? each.options.own.get() : common_);
  }
}

void KnownListeners::renew_tls(const std::shared_ptr<net::TlsContext>& before,
                               const std::shared_ptr<net::TlsContext>& tls) {
  std::replace(tls_.begin(), tls_.end(), before, tls);
}

}  // namespace bellwether::proxy
