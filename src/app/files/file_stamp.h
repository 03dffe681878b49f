#pragma once

#include <string>
#include <vector>

namespace bellwether::app {

// Equal while the files are the same: of each the times of writing and of other changes, inode and size, symbolic links
// followed, so that a Kubernetes volume's swap shows; of a directory also those of what is in it. A missing one is part
// of it too.
[[nodiscard]] std::string stamp_of(const std::vector<std::string>& paths);

}  // namespace bellwether::app
