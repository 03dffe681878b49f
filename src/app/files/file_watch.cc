#include "file_watch.h"

#include <utility>

#include "file_stamp.h"

namespace bellwether::app {

FileWatch::FileWatch(net::Loop& loop, std::string file, Duration interval, std::function<void()> on_change)
    : files_{std::move(file)},
      interval_(interval),
      on_change_(std::move(on_change)),
      timer_(loop, [this] { look(); }),
      background_(loop) {
  timer_.arm_in(Duration::zero());
}

void FileWatch::look() {
  timer_.arm_in(interval_);
  if (background_.is_busy()) return;
  background_.run([this, files = files_]() -> net::Background::Finish {
    return [this, stamp = stamp_of(files)] { on_stamp(stamp); };
  });
}

void FileWatch::on_stamp(const std::string& now) {
  const bool is_settled = std::exchange(seen_, now) == now;
  if (!is_settled || now == told_) return;
  told_ = now;
  on_change_();
}

}  // namespace bellwether::app
