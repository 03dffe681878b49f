#include <fmt/format.h>

#include <algorithm>

#include "bellwether/base/text.h"
#include "draft.h"
#include "file_kind.h"
#include "text_values.h"

namespace bellwether::config {
namespace {

// Whether a JSON value of this kind can be given to the field as text: what the library would convert silently
// (70000 to 4464, 2.9 to 2, true to 1) is an error here.
struct TakesKind {
  Json::Kind kind;
  bool operator()(const TextField&) const { return kind == Json::Kind::kString; }
  bool operator()(const FlagField&) const { return kind == Json::Kind::kBool; }
  bool operator()(const IntField& field) const {
    return kind == Json::Kind::kInteger || (kind == Json::Kind::kString && !field.word_for_zero.empty());
  }
  bool operator()(const DurationField&) const { return kind == Json::Kind::kString || kind == Json::Kind::kInteger; }
  bool operator()(const EnumField&) const { return kind == Json::Kind::kString; }
  bool operator()(const ListField&) const { return false; }
  bool operator()(const CertificatesField&) const { return false; }
  bool operator()(const ListenField&) const { return false; }
  bool operator()(const NodesField&) const { return false; }
  bool operator()(const ClustersField&) const { return false; }
};

constexpr std::size_t kMaxNodeName = 128;
constexpr std::size_t kMaxClusterName = 64;

bool is_object_name(std::string_view text, std::size_t most) {
  return text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("._-:[]").find(c) != std::string_view::npos;
         });
}

class FileReader {
 public:
  FileReader(const File& file, Draft& draft) : file_(file), draft_(draft) {}

  void read() {
    if (std::string other = name_other_format(file_.text); !other.empty()) {
      draft_.problem(Place{file_.name, {1, 1}}, std::move(other));
      draft_.is_readable = false;
      return;
    }
    const ParsedJson parsed = parse_json(file_.text);
    for (const Finding& each : parsed.findings) draft_.problem(place(each.at), each.message);
    if (!parsed.is_complete) {
      draft_.is_readable = false;
      return;
    }
    if (parsed.root.kind != Json::Kind::kObject) {
      draft_.problem(place(parsed.root.at), "a configuration is an object in braces, not " + parsed.root.described());
      draft_.is_readable = false;
      return;
    }
    for (const Json::Member& member : parsed.root.members) read_option(member);
  }

 private:
  [[nodiscard]] Place place(Position at) const { return Place{file_.name, at}; }

  void read_option(const Json::Member& member) {
    if (member.key == "$schema") return;
    const Option* option = find_option(member.key);
    if (option == nullptr) return unknown_key(member, "option", option_keys());
    draft_.places[option->key] = place(member.value.at);
    if (std::holds_alternative<ListenField>(option->field)) return read_listen(member.value);
    if (std::holds_alternative<NodesField>(option->field)) return read_nodes(member.value, draft_.nodes);
    if (std::holds_alternative<ClustersField>(option->field)) return read_clusters(member.value);
    read_value(*option, member.value, draft_.config);
  }

  // What is neither listeners nor nodes nor clusters. False: it is wrong, which has been reported.
  bool read_value(const Option& option, const Json& value, Config& config) {
    if (const auto* list = std::get_if<ListField>(&option.field)) {
      (config.*list->member).clear();
      return for_each_item(value, [&](const Json& item) { return read_item(option, *list, item, config); });
    }
    if (const auto* field = std::get_if<CertificatesField>(&option.field)) {
      (config.*field->member).clear();
      return for_each_item(value, [&](const Json& item) { return read_certificate(option, *field, item, config); });
    }
    return read_scalar(option, value, config);
  }

  // One item alone may stand without brackets.
  template <typename Read>
  bool for_each_item(const Json& value, Read read) {
    if (value.kind != Json::Kind::kArray) return read(value);
    bool is_fine = true;
    for (const Json& item : value.items) is_fine &= read(item);
    return is_fine;
  }

  bool wrong_kind(const Option& option, const Json& value) {
    draft_.problem(place(value.at),
                   fmt::format("{}: must be {}, not {}", option.key, expected(option), value.described()));
    return false;
  }

  bool read_item(const Option& option, const ListField& list, const Json& value, Config& config) {
    if (value.kind != Json::Kind::kString) return wrong_kind(option, value);
    return add_item(option, list, value.text, place(value.at), config, draft_);
  }

  bool read_certificate(const Option& option, const CertificatesField& field, const Json& value, Config& config) {
    Certificate certificate;
    if (value.kind == Json::Kind::kString) {
      if (value.text.empty()) return true;
      certificate.cert = value.text;
    } else if (value.kind == Json::Kind::kObject) {
      bool is_fine = true;
      for (const Json::Member& member : value.members) is_fine &= read_certificate_key(option, member, certificate);
      if (!is_fine) return false;
      if (certificate.cert.empty()) {
        draft_.problem(place(value.at), fmt::format("{}: \"cert\" is missing", option.key));
        return false;
      }
    } else {
      return wrong_kind(option, value);
    }
    return add_certificate(option, field, std::move(certificate), place(value.at), config, draft_);
  }

  bool read_certificate_key(const Option& option, const Json::Member& member, Certificate& certificate) {
    Place ignored;
    if (member.key == "cert") return read_string(option.key, member, certificate.cert, ignored);
    if (member.key == "key") return read_string(option.key, member, certificate.key, ignored);
    unknown_key(member, "key of a certificate", {"cert", "key"});
    return false;
  }

  void unknown_key(const Json::Member& member, std::string_view what, const std::vector<std::string_view>& known) {
    std::string message = fmt::format("unknown {} \"{}\"", what, member.key);
    if (const auto meant = nearest(member.key, known)) message += fmt::format("; did you mean \"{}\"?", *meant);
    draft_.problem(place(member.at), std::move(message));
  }

  bool read_scalar(const Option& option, const Json& value, Config& config) {
    if (!std::visit(TakesKind{value.kind}, option.field)) return wrong_kind(option, value);
    if (const Result<void> set = set_scalar(option, value.text, config); !set) {
      draft_.problem(place(value.at), fmt::format("{}: {}", option.key, set.error().message));
      return false;
    }
    return true;
  }

  void read_listen(const Json& value) {
    draft_.listen.clear();
    draft_.named_clusters.clear();
    if (value.kind != Json::Kind::kArray) return read_listener(value);
    if (value.items.empty()) draft_.problem(place(value.at), "listen: the list is empty");
    for (const Json& item : value.items) read_listener(item);
  }

  void read_listener(const Json& value) {
    ListenEntry entry;
    entry.at = place(value.at);
    if (value.kind == Json::Kind::kString) {
      entry.address = value.text;
      add_listener(std::move(entry), draft_);
    } else if (value.kind == Json::Kind::kObject) {
      bool is_fine = true;
      for (const Json::Member& member : value.members) is_fine &= read_listener_key(member, entry);
      if (!entry.cluster.empty()) draft_.named_clusters.insert(entry.cluster);
      if (is_fine && entry.address.empty()) draft_.problem(entry.at, "listen: \"address\" is missing");
      if (is_fine && !entry.address.empty()) add_listener(std::move(entry), draft_);
    } else {
      draft_.problem(entry.at,
                     fmt::format("listen: must be an address such as \"127.0.0.1:8200\", or an object, not {}",
                                 value.described()));
    }
  }

  // "address", "cluster", or an option of its own: by the row that the option has for all.
  bool read_listener_key(const Json::Member& member, ListenEntry& entry) {
    const Json& value = member.value;
    if (member.key == "address") return read_string("listen", member, entry.address, entry.at);
    if (member.key == "cluster") return read_string("listen", member, entry.cluster, entry.cluster_at);
    const Option* option = find_option(member.key);
    if (option != nullptr && option->scope == Scope::kListener) {
      entry.said[option->key] = place(value.at);
      return read_value(*option, value, entry.own);
    }
    if (option != nullptr) {
      draft_.problem(place(member.at), fmt::format("listen: \"{}\" is the same for all listeners: write it beside "
                                                   "\"listen\", not into it",
                                                   member.key));
    } else {
      unknown_key(member, "key of a listener", listener_keys());
    }
    return false;
  }

  void read_clusters(const Json& value) {
    if (value.kind != Json::Kind::kArray) {
      return draft_.problem(place(value.at),
                            fmt::format("clusters: must be a list of objects, not {}", value.described()));
    }
    if (value.items.empty()) draft_.problem(place(value.at), "clusters: the list is empty");
    for (const Json& item : value.items) {
      if (draft_.clusters.size() >= kMaxClusters) {
        return draft_.problem(place(item.at), fmt::format("clusters: more than {} clusters", kMaxClusters));
      }
      read_cluster(item);
    }
  }

  void read_cluster(const Json& value) {
    ClusterEntry entry;
    entry.at = place(value.at);
    if (value.kind != Json::Kind::kObject) {
      return draft_.problem(entry.at,
                            fmt::format("clusters: must be an object such as {{\"name\": \"east\", \"nodes\": "
                                        "[\"https://...\"]}}, not {}",
                                        value.described()));
    }
    bool says_name = false;
    for (const Json::Member& member : value.members) {
      says_name |= member.key == "name";
      read_cluster_key(member, entry);
    }
    if (!says_name) draft_.problem(entry.at, "clusters: \"name\" is missing");
    if (entry.said.count("nodes") == 0) {
      draft_.problem(entry.at, entry.name.empty() ? "clusters: \"nodes\" is missing"
                                                  : fmt::format("clusters: \"{}\" has no nodes", entry.name));
    }
    draft_.clusters.push_back(std::move(entry));
  }

  // "name", or an option of its own: by the row that the option has for all.
  void read_cluster_key(const Json::Member& member, ClusterEntry& entry) {
    const Json& value = member.value;
    if (member.key == "name") return read_cluster_name(member, entry);
    const Option* option = find_option(member.key);
    if (option == nullptr) return unknown_key(member, "key of a cluster", cluster_keys());
    if (std::holds_alternative<ListenField>(option->field)) {
      return draft_.problem(place(member.at),
                            "clusters: \"listen\" is written beside \"clusters\"; each listener names its \"cluster\"");
    }
    if (option->scope == Scope::kProcess) {
      return draft_.problem(place(member.at), fmt::format("clusters: \"{}\" is the same for the whole process: write "
                                                          "it beside \"clusters\", not into it",
                                                          member.key));
    }
    entry.said[option->key] = place(value.at);
    if (std::holds_alternative<NodesField>(option->field)) return read_nodes(value, entry.nodes);
    read_value(*option, value, entry.own);
  }

  void read_cluster_name(const Json::Member& member, ClusterEntry& entry) {
    Place at;
    std::string name;
    if (!read_string("clusters", member, name, at)) return;
    if (!is_object_name(name, kMaxClusterName)) {
      return draft_.problem(at,
                            fmt::format("name: may hold letters, digits and ._-: only, {} at most", kMaxClusterName));
    }
    // Browsers leave such a part out of an address.
    if (name == "." || name == "..") return draft_.problem(at, fmt::format("name: \"{}\" is no name", name));
    const bool is_known = std::any_of(draft_.clusters.begin(), draft_.clusters.end(),
                                      [&](const ClusterEntry& each) { return each.name == name; });
    if (is_known) return draft_.problem(at, fmt::format("clusters: two clusters are named \"{}\"", name));
    entry.name = std::move(name);
  }

  void read_nodes(const Json& value, NodeList& nodes) {
    nodes = {};
    if (value.kind != Json::Kind::kArray) {
      draft_.problem(place(value.at),
                     fmt::format("nodes: must be a list of URLs and objects, not {}", value.described()));
      return;
    }
    if (value.items.empty()) draft_.problem(place(value.at), "nodes: the list is empty");
    for (const Json& item : value.items) read_node(item, nodes);
  }

  void read_node(const Json& value, NodeList& nodes) {
    NodeEntry entry;
    entry.at = place(value.at);
    if (value.kind == Json::Kind::kString) {
      add_node(std::move(entry), value.text, nodes, draft_);
    } else if (value.kind == Json::Kind::kObject) {
      std::string url;
      bool is_fine = true;
      for (const Json::Member& member : value.members) is_fine &= read_node_key(member, entry, url);
      if (is_fine && url.empty()) draft_.problem(entry.at, "nodes: \"url\" is missing");
      if (is_fine && !url.empty()) add_node(std::move(entry), url, nodes, draft_);
    } else {
      draft_.problem(
          entry.at,
          fmt::format("nodes: must be a URL such as \"https://vault1.example.com:8200\", or an object, not {}",
                      value.described()));
    }
  }

  bool read_node_key(const Json::Member& member, NodeEntry& entry, std::string& url) {
    const Place at = place(member.value.at);
    if (member.key == "url") return read_string("nodes", member, url, entry.at);
    if (member.key == "name") {
      Place ignored;
      if (!read_string("nodes", member, entry.node.name, ignored)) return false;
      if (is_object_name(entry.node.name, kMaxNodeName)) return true;
      draft_.problem(at, fmt::format("name: may hold letters, digits and ._-: only, {} at most", kMaxNodeName));
      return false;
    }
    if (member.key == "server_name") {
      Config scratch;
      if (!read_scalar(*find_option("server_name"), member.value, scratch)) return false;
      entry.node.server_name = scratch.server_name;
      return true;
    }
    if (member.key == "public_address") return read_public_address(member, entry);
    unknown_key(member, "key of a node", {"url", "name", "server_name", "public_address"});
    return false;
  }

  bool read_public_address(const Json::Member& member, NodeEntry& entry) {
    Place at;
    if (!read_string("nodes", member, entry.node.public_address, at)) return false;
    const Result<ParsedUrl> url = parse_url(entry.node.public_address);
    if (!url || url->is_service) {
      draft_.problem(at, url ? "public_address: is where clients are sent: a URL without srv+"
                             : fmt::format("public_address: {}", url.error().message));
      return false;
    }
    entry.node.public_address =
        fmt::format("{}://{}", url->tls ? "https" : "http", host_and_port(url->host, url->port));
    return true;
  }

  bool read_string(std::string_view owner, const Json::Member& member, std::string& out, Place& at) {
    at = place(member.value.at);
    if (member.value.kind == Json::Kind::kString && !member.value.text.empty()) {
      out = member.value.text;
      return true;
    }
    draft_.problem(at, fmt::format("{}: \"{}\" must be a string that is not empty, not {}", owner, member.key,
                                   member.value.described()));
    return false;
  }

  const File& file_;
  Draft& draft_;
};

}  // namespace

void read_file(const File& file, Draft& draft) { FileReader(file, draft).read(); }

}  // namespace bellwether::config
