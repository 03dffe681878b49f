#pragma once

#include <optional>

#include "bellwether/base/time.h"
#include "bellwether/cluster/tracker.h"
#include "cluster/evidence/journal.h"
#include "picture.h"

namespace bellwether::cluster {

// What the owner of the tracker has been told: the newest view and the newest claim. Tells only what is new.
class Publication {
 public:
  explicit Publication(View first);

  // Never null.
  [[nodiscard]] const ViewPtr& view() const { return view_; }
  void publish(const Picture& picture, TimePoint now);
  void tell(const std::optional<Claim>& claim, Journal& journal);
  // The present claim is told once more: somebody wished for a claim after this one had been told.
  void tell_again() { told_claim_.reset(); }

 private:
  ViewPtr view_;
  std::optional<Claim> told_claim_;
};

}  // namespace bellwether::cluster
