#include "end_reason.h"

namespace bellwether::proxy {

char letter(Phase phase) {
  switch (phase) {
    case Phase::kRequest:
      return 'R';
    case Phase::kHeld:
      return 'Q';
    case Phase::kConnecting:
      return 'C';
    case Phase::kHeaders:
      return 'H';
    case Phase::kRelaying:
      return 'D';
    case Phase::kLastData:
      return 'L';
  }
  return '-';
}

EndReason ended_by_client(Phase phase) { return {'C', letter(phase)}; }
EndReason ended_by_node(Phase phase) { return {'S', letter(phase)}; }
EndReason refused_by_us(Phase phase) { return {'P', letter(phase)}; }
EndReason node_timed_out(Phase phase) { return {'s', letter(phase)}; }
EndReason node_lost(Phase phase) { return {'D', letter(phase)}; }
EndReason idle_timed_out(Phase phase) { return {'c', letter(phase)}; }
EndReason ended_by_us(Phase phase) { return {'L', letter(phase)}; }

EndReason cut_by(Cut cut, Phase phase) {
  switch (cut) {
    case Cut::kNone:
      return kEndedNormally;
    case Cut::kQuiet:
    case Cut::kRequest:
    case Cut::kAnswer:
    case Cut::kSilent:
    case Cut::kDeadline:
    case Cut::kDead:
      return node_lost(phase);
    case Cut::kAdmin:
      return {'K', letter(phase)};
  }
  return kEndedNormally;
}

}  // namespace bellwether::proxy
