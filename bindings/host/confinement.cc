#include "bindings/host/confinement.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "bindings/boundary.h"
#include "bindings/host/host.h"
#include "bindings/host/raised.h"

namespace qspec::lua {
namespace {

constexpr int kStepsPerLook = 100;
std::string running_line(lua_State* L) {
  push_running_line(L);
  std::string line = lua_tostring(L, -1);
  lua_pop(L, 1);
  return line;
}

std::string plain(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

}  // namespace

Confinement& Confinement::of(lua_State* L) {
  return Host::of(L).confinement();
}

Confinement::Call::Call(Confinement& confinement, lua_State* L, const Limits& limits)
    : confinement_(confinement),
      L_(L),
      outer_(confinement.innermost_),
      limits_(limits),
      began_(monotonic_seconds()),
      engine_began_(EngineTime::clock().total),
      outer_limit_(confinement.memory_.limit()),
      outer_depth_(EngineTime::clock().depth) {
  Memory& memory = confinement_.memory_;
  const auto bytes = static_cast<size_t>(std::clamp(limits.bytes, 0.0, 1e15));
  memory.set_limit(std::min(outer_limit_, memory.used() + bytes));
  confinement_.plan_collection();
  confinement_.innermost_ = this;
  EngineTime::clock().depth = 0;
  EngineTime::clock().running = true;
  if (outer_ == nullptr) {
    memory.set_permission(&Confinement::permits_more, &confinement_);
    lua_sethook(L_, &Confinement::on_count, LUA_MASKCOUNT, kStepsPerLook);
  }
}

Confinement::Call::~Call() {
  EngineTime::clock().depth = outer_depth_;
  EngineTime::clock().running = outer_ != nullptr;
  confinement_.memory_.set_limit(outer_limit_);
  confinement_.plan_collection();
  confinement_.innermost_ = outer_;
  if (confinement_.stopped_ == this) {
    confinement_.stopped_ = nullptr;
    confinement_.place_.clear();
    confinement_.memory_.clear_refused();
  }
  if (outer_ == nullptr) {
    confinement_.place_of_growth_.clear();
    confinement_.memory_.set_permission(nullptr, nullptr);
    lua_sethook(L_, nullptr, 0, 0);
  }
}

void Confinement::charge(lua_State* L, double steps) {
  if (innermost_ == nullptr) return;
  spend(steps);
  look_at_clock();
  if (!is_stopped()) return;
  note_place(L);
  throw stop();
}

void Confinement::note_place(lua_State* L) {
  if (place_.empty()) place_ = running_line(L);
}

Error Confinement::stop() const {
  const Limits& limits = stopped_->limits_;
  std::string message;
  std::string hint = "is there an endless loop? arithmetic on weights belongs in tensor methods";
  if (reason_ == Reason::kSteps) {
    message = "the spec ran more than " + plain(limits.steps) + " instructions";
  } else if (reason_ == Reason::kSeconds) {
    message = "the spec ran longer than " + plain(limits.seconds) + " s";
  } else {
    message = "the spec used more than " + plain(limits.bytes / (1u << 20)) + " MiB of memory";
    hint = "large data belongs in tensors, which are not counted here";
  }
  Error error(ErrorKind::kSpec, std::move(message));
  error.at(place_).hint(std::move(hint));
  return error;
}

void Confinement::notice_refusal() {
  if (is_stopped() || !memory_.refused() || innermost_ == nullptr) return;
  // The limit in force is that of the outermost call that reached it.
  Call* call = innermost_;
  while (call->outer_ != nullptr && call->outer_limit_ == memory_.limit()) call = call->outer_;
  stop_call(call, Reason::kBytes);
  if (place_.empty()) place_ = place_of_growth_;
}

void Confinement::on_count(lua_State* L, lua_Debug*) {
  Confinement& self = of(L);
  if (self.innermost_ == nullptr) return;
  self.spend(kStepsPerLook);
  self.look_at_clock();
  self.notice_refusal();
  if (self.is_stopped()) {
    self.note_place(L);
    push_error(L, self.stop());
    lua_error(L);
  }
  self.collect_before_limit(L);
}

bool Confinement::permits_more(void* self) {
  auto& confinement = *static_cast<Confinement*>(self);
  confinement.look_at_clock();
  return !confinement.is_stopped();
}

void Confinement::spend(double steps) {
  for (Call* call = innermost_; call != nullptr; call = call->outer_) {
    call->steps_ += steps;
    if (call->steps_ > call->limits_.steps) stop_call(call, Reason::kSteps);
  }
}

void Confinement::look_at_clock() {
  const EngineTime::Clock& clock = EngineTime::clock();
  const double now = monotonic_seconds();
  const double engine = clock.total + (clock.depth > 0 ? now - clock.began : 0);
  for (Call* call = innermost_; call != nullptr; call = call->outer_) {
    const double own = now - call->began_ - (engine - call->engine_began_);
    if (own > call->limits_.seconds) stop_call(call, Reason::kSeconds);
  }
}

// Lua collects when its memory has doubled, which is too late below a limit.
void Confinement::collect_before_limit(lua_State* L) {
  if (memory_.used() <= collect_above_) return;
  place_of_growth_ = running_line(L);
  lua_gc(L, LUA_GCCOLLECT, 0);
  plan_collection();
}

// Half-way from here to the limit.
void Confinement::plan_collection() {
  const size_t used = std::min(memory_.used(), memory_.limit());
  collect_above_ = used + (memory_.limit() - used) / 2;
}

// The outermost call that is out of something decides: the inner ones cannot go on either.
void Confinement::stop_call(Call* call, Reason reason) {
  bool is_outer = stopped_ == nullptr;
  for (Call* inner = stopped_; inner != nullptr; inner = inner->outer_) {
    if (inner == call && call != stopped_) is_outer = true;
  }
  if (!is_outer) return;
  stopped_ = call;
  reason_ = reason;
}

}  // namespace qspec::lua
