#pragma once

#include <algorithm>
#include <memory>
#include <vector>

namespace bellwether::proxy {

// Owns a worker's sessions. Retired ones stay until the end of the turn, because one of their callbacks may be running.
template <typename Session>
class TableOf {
 public:
  Session& add(std::unique_ptr<Session> session) {
    session->table_index = sessions_.size();
    sessions_.push_back(std::move(session));
    return *sessions_.back();
  }
  void retire(Session& session) {
    const std::size_t index = session.table_index;
    graveyard_.push_back(std::move(sessions_[index]));
    if (index + 1 < sessions_.size()) {
      sessions_[index] = std::move(sessions_.back());
      sessions_[index]->table_index = index;
    }
    sessions_.pop_back();
  }
  void bury() { graveyard_.clear(); }
  [[nodiscard]] bool empty() const { return sessions_.empty(); }
  [[nodiscard]] bool has_retired() const { return !graveyard_.empty(); }

  template <typename Predicate>
  [[nodiscard]] bool any_of(Predicate holds) const {
    return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& session) { return holds(*session); });
  }

  // Calls `visit` on every session; it may retire any of them.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t i = sessions_.size(); i-- > 0;) {
      if (i < sessions_.size()) visit(*sessions_[i]);
    }
  }

 private:
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> graveyard_;
};

}  // namespace bellwether::proxy
