#include "kv_api.h"

#include <limits>

namespace bellwether::sim {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;  // of a secret's JSON; deeper would be walked recursively

json version_facts(const KvVersion& version, TimePoint as_of) {
  const bool deleted = KvStore::is_deleted(version, as_of);
  return {{"created_time", format_utc(version.written.wall)},
          {"deletion_time", deleted ? format_utc(version.deleted->wall) : ""},
          {"destroyed", false}};
}

json full_version_facts(const KvVersion& version, TimePoint as_of) {
  json facts = version_facts(version, as_of);
  facts["custom_metadata"] = nullptr;
  facts["version"] = version.number;
  return facts;
}

json parse_body(const std::string& body) {
  bool too_deep = false;
  json parsed = json::parse(
      body,
      [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > kMaxDepth;
        return depth <= kMaxDepth;
      },
      false);
  return too_deep || parsed.is_discarded() ? json() : parsed;
}

std::optional<int> version_parameter(const Request& request) {
  const std::optional<std::string> text = request.parameter("version");
  if (!text || text->empty() || *text == "0") return std::nullopt;
  const bool digits = text->size() < 9 && text->find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::stoi(*text) : -1;
}

http::Response read_data(const KvStore& store, const Request& request, const std::string& key, TimePoint as_of,
                         Prng& prng) {
  const KvVersion* version = store.find(key, version_parameter(request), as_of);
  if (version == nullptr) return errors_answer(404, {});
  const bool deleted = KvStore::is_deleted(*version, as_of);
  return data_answer(deleted ? 404 : 200,
                     {{"data", deleted ? json() : version->data}, {"metadata", full_version_facts(*version, as_of)}},
                     prng);
}

http::Response write_data(KvStore& store, const Request& request, const std::string& key, Instant now, Prng& prng) {
  const json body = parse_body(request.body);
  if (!body.is_object() || !body.contains("data") || !body["data"].is_object()) {
    return errors_answer(400, {"no data provided"});
  }
  std::optional<int> cas;
  if (body.contains("options") && body["options"].is_object() && body["options"].contains("cas")) {
    const json& wanted = body["options"]["cas"];
    const auto value = wanted.is_number_integer() ? wanted.get<std::int64_t>() : -1;
    if (value < 0 || value > std::numeric_limits<int>::max()) {
      return errors_answer(400, {"error parsing check-and-set parameter"});
    }
    cas = static_cast<int>(value);
  }
  json data = body["data"];
  if (request.method == "PATCH") {
    const KvVersion* old = store.find(key, std::nullopt, now.at);
    if (old == nullptr || KvStore::is_deleted(*old, now.at)) return errors_answer(404, {});
    data = old->data;
    data.merge_patch(body["data"]);
  }
  const Result<int> number = store.put(key, std::move(data), cas, now);
  if (!number) return errors_answer(number.error().kind == ErrorKind::kInvalid ? 400 : 500, {number.error().message});
  return data_answer(200, full_version_facts(*store.find(key, *number, now.at), now.at), prng);
}

http::Response answer_data(KvStore& store, const Request& request, const std::string& key, TimePoint as_of, Instant now,
                           Prng& prng) {
  if (request.method == "GET" || request.method == "HEAD") return read_data(store, request, key, as_of, prng);
  if (request.method == "PUT" || request.method == "POST" || request.method == "PATCH") {
    return write_data(store, request, key, now, prng);
  }
  if (request.method != "DELETE") return errors_answer(405, {"1 error occurred:\n\t* unsupported operation\n\n"});
  store.remove(key, now);
  return empty_answer(204);
}

http::Response list_keys(const KvStore& store, std::string folder, TimePoint as_of, Prng& prng) {
  if (!folder.empty() && !folder.ends_with('/')) folder += '/';
  const std::vector<std::string> names = store.list(folder, as_of);
  return names.empty() ? errors_answer(404, {}) : data_answer(200, {{"keys", names}}, prng);
}

http::Response read_metadata(const KvStore& store, const std::string& key, TimePoint as_of, Prng& prng) {
  const std::vector<const KvVersion*> kept = store.versions(key, as_of);
  if (kept.empty()) return errors_answer(404, {});
  json versions;
  for (const KvVersion* version : kept) versions[std::to_string(version->number)] = version_facts(*version, as_of);
  return data_answer(200,
                     {{"cas_required", false},
                      {"created_time", format_utc(kept.front()->written.wall)},
                      {"current_metadata_version", 0},
                      {"current_version", kept.back()->number},
                      {"custom_metadata", nullptr},
                      {"delete_version_after", "0s"},
                      {"max_versions", 0},
                      {"metadata_cas_required", false},
                      {"oldest_version", kept.front()->number > 1 ? kept.front()->number : 0},
                      {"updated_time", format_utc(kept.back()->written.wall)},
                      {"versions", versions}},
                     prng);
}

}  // namespace

http::Response answer_kv(KvStore& store, const Request& request, std::string_view path, TimePoint as_of, Instant now,
                         Prng& prng) {
  const std::size_t slash = path.find('/');
  const std::string_view area = path.substr(0, slash);
  const std::string key = slash == std::string_view::npos ? "" : percent_decoded(path.substr(slash + 1));
  if (area == "metadata" && request.is_list()) return list_keys(store, key, as_of, prng);
  if (!key.empty() && !key.ends_with('/')) {
    if (area == "data") return answer_data(store, request, key, as_of, now, prng);
    if (area == "metadata" && request.method == "GET") return read_metadata(store, key, as_of, prng);
    if (area == "metadata" && request.method == "DELETE") {
      store.erase(key);
      return empty_answer(204);
    }
  }
  return errors_answer(404, {"1 error occurred:\n\t* unsupported path\n\n"});
}

}  // namespace bellwether::sim
