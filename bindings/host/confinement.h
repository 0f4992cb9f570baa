#pragma once

#include <lua.hpp>
#include <string>

#include "bindings/host/memory.h"
#include "engine/core/error.h"

namespace qspec::lua {

// What a script may use up.
struct Limits {
  double steps = 0;    // Lua instructions, and what bulk functions charge
  double seconds = 0;  // of its own: time inside the engine does not count
  double bytes = 0;    // of Lua's memory, above what was in use before
};

// Keeps scripts within limits. A stop is an error that the script cannot survive: it is raised
// again at each attempt to go on until the call that the limits belong to has been left.
class Confinement {
 public:
  explicit Confinement(Memory& memory) : memory_(memory) {}

  static Confinement& of(lua_State* L);  // of a Host's state

  // The limits in force during one call; calls nest, and all their limits hold.
  class Call {
   public:
    Call(Confinement& confinement, lua_State* L, const Limits& limits);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    // Whether it was stopped by its own limits rather than by those of an outer call.
    bool was_stopped() const { return confinement_.stopped_ == this; }

   private:
    friend class Confinement;

    Confinement& confinement_;
    lua_State* L_;
    Call* outer_;
    Limits limits_;
    double steps_ = 0;
    double began_;
    double engine_began_;
    size_t outer_limit_;
    int outer_depth_;
  };

  // Charges `steps` for bulk work that takes no instructions. Throws the stop.
  void charge(lua_State* L, double steps);

  bool is_stopped() const { return stopped_ != nullptr; }
  // What the stop says, for whoever caught an error while is_stopped().
  Error stop() const;
  // Turns a refusal of memory that nobody has reported yet into a stop.
  void notice_refusal();

 private:
  enum class Reason { kSteps, kSeconds, kBytes };

  static void on_count(lua_State* L, lua_Debug* activation);
  static bool permits_more(void* self);

  void note_place(lua_State* L);
  void spend(double steps);
  void look_at_clock();
  void collect_before_limit(lua_State* L);
  void plan_collection();
  void stop_call(Call* call, Reason reason);

  Memory& memory_;
  Call* innermost_ = nullptr;
  Call* stopped_ = nullptr;
  Reason reason_ = Reason::kSteps;
  std::string place_;            // file:line of the spec where the stop was first noticed
  std::string place_of_growth_;  // where much memory was last seen in use: a refusal has no line
  size_t collect_above_ = Memory::kUnlimited;
};

}  // namespace qspec::lua
