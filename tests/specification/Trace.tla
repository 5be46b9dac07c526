------------------------------- MODULE Trace -------------------------------
(* Whether recorded sequences of tables are behaviours of the protocol: if one is not, TLC finds a deadlock at its last step that is.
   The module Recorded has the sequences: Traces[which][at] is a table. *)
EXTENDS Twofold, Recorded
VARIABLES which, at

Contents(t) == Named({t.datasets[d].contents : d \in DOMAIN t.datasets}
  \union UNION {{t.past[o].sides[d].before : d \in DOMAIN t.past[o].sides} : o \in DOMAIN t.past})

Init ==
  /\ which \in 1..Len(Traces)
  /\ at = 1
  /\ slot = Traces[which][1].slot
  /\ datasets = Traces[which][1].datasets
  /\ active = Traces[which][1].active
  /\ noted = Traces[which][1].noted
  /\ past = Traces[which][1].past
  /\ entries = [c \in Contents(Traces[which][1]) |-> {"a", "b", "c", "d", "e", "f"}]
  /\ due = {}

Begin(t) == \E o \in DOMAIN t.active \ DOMAIN active :
  LET operation == t.active[o] IN
  IF operation.kind = "CREATE"
  THEN \E d \in operation.datasets : BeginCreate(d, t.datasets[d].type, o)
  ELSE operation.datasets \subseteq DOMAIN datasets /\ Claim(o, operation.kind, operation.datasets, operation.before, operation.kept)

Step ==
  /\ at < Len(Traces[which])
  /\ LET t == Traces[which][at + 1] IN
       /\ slot' = t.slot
       /\ datasets' = t.datasets
       /\ active' = t.active
       /\ noted' = t.noted
       /\ past' = t.past
       /\ Begin(t) \/ End \/ Undo
  /\ at' = at + 1
  /\ UNCHANGED which

Next == Step \/ (at = Len(Traces[which]) /\ UNCHANGED <<vars, which, at>>)
Spec == Init /\ [][Next]_<<vars, which, at>>
=============================================================================
