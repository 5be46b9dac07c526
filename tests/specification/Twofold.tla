------------------------------ MODULE Twofold ------------------------------
(* The protocol of one project's table, from docs/api.md and docs/reliability.md: each action is one conditional transaction.
   Contents are immutable and have a name; a dataset points to contents, or to None. *)
EXTENDS Naturals, FiniteSets, Sequences, TLC

VARIABLES
  slot,      \* the dataset in the project's slot of each type, or None
  datasets,  \* of each dataset, deleted ones too: its type, status, contents, and the operation that claimed it last
  active,    \* the operations that have not ended: kind, datasets, the contents that they began with, and those of a kept test dataset
  noted,     \* contents that Collect will find: nobody points to them, or somebody did not
  past,      \* the distributions: of each dataset what it had before and after, and whether it was reverted
  entries,   \* of each of the contents that were ever pointed to
  due        \* the entries that the datasets in the slots must have together

table == <<slot, datasets, active, noted, past>>
vars == <<slot, datasets, active, noted, past, entries, due>>

None == "none"
Types == {"TRAIN", "TEST"}
Settled == {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED"}
InProgress == {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}

Without(f, x) == [y \in DOMAIN f \ {x} |-> f[y]]
Written(o, d) == o \o ":" \o d
Named(contents) == contents \ {None}
Held(c) == IF c = None THEN {} ELSE entries[c]
One(s) == IF s = {} THEN {} ELSE {CHOOSE e \in s : TRUE}
Changed(ds, status, o) == [d \in DOMAIN datasets |->
  IF d \in ds THEN [datasets[d] EXCEPT !.status = status, !.operation = o] ELSE datasets[d]]

(* A dataset that is complete at once: empty, or a copy of contents that a settled dataset has, here or elsewhere. *)
Create(d, type, contents) ==
  /\ slot[type] = None
  /\ d \notin DOMAIN datasets
  /\ slot' = [slot EXCEPT ![type] = d]
  /\ datasets' = datasets @@
       (d :> [type |-> type, status |-> "CREATE_COMPLETE", contents |-> contents, operation |-> None])
  /\ due' = due \union Held(contents)
  /\ UNCHANGED <<active, noted, past, entries>>

BeginCreate(d, type, o) ==
  /\ slot[type] = None
  /\ d \notin DOMAIN datasets
  /\ o \notin DOMAIN active
  /\ slot' = [slot EXCEPT ![type] = d]
  /\ datasets' = datasets @@
       (d :> [type |-> type, status |-> "CREATE_IN_PROGRESS", contents |-> None, operation |-> o])
  /\ active' = active @@ (o :> [kind |-> "CREATE", datasets |-> {d}, before |-> None, kept |-> None])
  /\ UNCHANGED <<noted, past, entries, due>>

(* A claim needs datasets that are settled and have what was read. *)
Claim(o, kind, ds, before, kept) ==
  /\ o \notin DOMAIN active
  /\ \A d \in ds : slot[datasets[d].type] = d /\ datasets[d].status \in Settled
  /\ \A d \in ds : datasets[d].contents = IF kind = "DISTRIBUTE" /\ datasets[d].type = "TEST" THEN kept ELSE before
  /\ kind = "DISTRIBUTE" => {datasets[d].type : d \in ds} = Types /\ before # None
  /\ datasets' = Changed(ds, "UPDATE_IN_PROGRESS", o)
  /\ active' = active @@ (o :> [kind |-> kind, datasets |-> ds, before |-> before, kept |-> kept])
  /\ UNCHANGED <<slot, noted, past, entries, due>>

Mine(o) == \A d \in active[o].datasets : datasets[d].operation = o /\ datasets[d].status \in InProgress

Completed(o) == IF active[o].kind = "CREATE" THEN "CREATE_COMPLETE" ELSE "UPDATE_COMPLETE"
Failed(o) == IF active[o].kind = "CREATE" THEN "CREATE_FAILED" ELSE "UPDATE_FAILED"

(* The operation ends, and all its datasets point to what it wrote. *)
Publish(o) ==
  LET ds == active[o].datasets
      before == active[o].before
      kept == active[o].kept
      moved == One(Held(before))
      back == One(Held(kept))
      Made(d) == CASE active[o].kind # "DISTRIBUTE" -> Held(before) \union {o}
                   [] datasets[d].type = "TEST"     -> (Held(kept) \ back) \union moved
                   [] OTHER                         -> (Held(before) \ moved) \union back
  IN /\ Mine(o)
     /\ datasets' = [d \in DOMAIN datasets |-> IF d \in ds
          THEN [datasets[d] EXCEPT !.status = Completed(o), !.contents = Written(o, d)] ELSE datasets[d]]
     /\ active' = Without(active, o)
     /\ noted' = noted \union Named({before, kept})
     /\ past' = IF active[o].kind # "DISTRIBUTE" THEN past ELSE past @@
          (o :> [reverted |-> FALSE, sides |-> [d \in ds |->
             [before |-> datasets[d].contents, after |-> Written(o, d)]]])
     /\ entries' = entries @@ [c \in {Written(o, d) : d \in ds} |-> Made(CHOOSE d \in ds : Written(o, d) = c)]
     /\ due' = IF active[o].kind = "DISTRIBUTE" THEN due ELSE due \union {o}
     /\ UNCHANGED slot

(* A dry run ends. *)
Look(o) ==
  /\ active[o].kind = "DISTRIBUTE"
  /\ Mine(o)
  /\ datasets' = Changed(active[o].datasets, "UPDATE_COMPLETE", o)
  /\ active' = Without(active, o)
  /\ past' = past
  /\ UNCHANGED <<slot, noted, entries, due>>

Abandon(o) ==
  /\ Mine(o)
  /\ datasets' = Changed(active[o].datasets, Failed(o), o)
  /\ active' = Without(active, o)
  /\ noted' = noted \union {Written(o, d) : d \in active[o].datasets}
  /\ UNCHANGED <<slot, past, entries, due>>

(* A creation that could not be started is taken back. *)
Retract(o) ==
  /\ active[o].kind = "CREATE"
  /\ \E d \in active[o].datasets :
       /\ slot[datasets[d].type] = d
       /\ slot' = [slot EXCEPT ![datasets[d].type] = None]
       /\ datasets' = Without(datasets, d)
       /\ noted' = noted \union {Written(o, d)}
  /\ active' = Without(active, o)
  /\ UNCHANGED <<past, entries, due>>

Delete(d) ==
  /\ slot[datasets[d].type] = d
  /\ datasets[d].status \in Settled \union {"CREATE_FAILED"}
  /\ slot' = [slot EXCEPT ![datasets[d].type] = None]
  /\ datasets' = [datasets EXCEPT ![d].status = "DELETE_IN_PROGRESS"]
  /\ noted' = noted \union Named({datasets[d].contents})
  /\ due' = due \ Held(datasets[d].contents)
  /\ UNCHANGED <<active, past, entries>>

Revert(o) ==
  LET sides == past[o].sides IN
  /\ ~past[o].reverted
  /\ \A d \in DOMAIN sides : datasets[d].contents = sides[d].after /\ datasets[d].status \in Settled
  /\ datasets' = [d \in DOMAIN datasets |-> IF d \in DOMAIN sides
       THEN [datasets[d] EXCEPT !.status = "UPDATE_COMPLETE", !.contents = sides[d].before] ELSE datasets[d]]
  /\ noted' = (noted \ {sides[d].before : d \in DOMAIN sides}) \union {sides[d].after : d \in DOMAIN sides}
  /\ past' = [past EXCEPT ![o].reverted = TRUE]
  /\ UNCHANGED <<slot, active, entries, due>>

End == \E o \in DOMAIN active : Publish(o) \/ Look(o) \/ Abandon(o) \/ Retract(o)
Undo == (\E d \in DOMAIN datasets : Delete(d)) \/ (\E o \in DOMAIN past : Revert(o))

-----------------------------------------------------------------------------
InSlots == {slot[type] : type \in Types} \ {None}
In(type) == IF slot[type] = None THEN {} ELSE Held(datasets[slot[type]].contents)

Claimed ==
  /\ \A o \in DOMAIN active : Mine(o)
  /\ \A d \in InSlots : datasets[d].status \in InProgress =>
       \E o \in DOMAIN active : d \in active[o].datasets /\ datasets[d].operation = o
Apart == In("TRAIN") \intersect In("TEST") = {}
NotLost == In("TRAIN") \union In("TEST") = due
NotForgotten == \A c \in DOMAIN entries : c \in noted \/ \E d \in InSlots : datasets[d].contents = c
NotRemovable == \A d \in InSlots : datasets[d].contents \notin noted
=============================================================================
