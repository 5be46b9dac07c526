------------------------------- MODULE Check -------------------------------
(* All behaviours of the protocol with a few operations and datasets. *)
EXTENDS Twofold
CONSTANTS Operations, NewDatasets
VARIABLE begun

Init ==
  /\ slot = [TRAIN |-> "train", TEST |-> "test"]
  /\ datasets = [train |-> [type |-> "TRAIN", status |-> "CREATE_COMPLETE", contents |-> "old", operation |-> None],
                 test |-> [type |-> "TEST", status |-> "CREATE_COMPLETE", contents |-> None, operation |-> None]]
  /\ active = <<>>
  /\ noted = {}
  /\ past = <<>>
  /\ entries = [old |-> {"a", "b", "c"}]
  /\ due = {"a", "b", "c"}
  /\ begun = {}

Begin == \E o \in Operations \ begun :
  /\ begun' = begun \union {o}
  /\ \/ \E d \in InSlots : Claim(o, "UPDATE", {d}, datasets[d].contents, None)
     \/ InSlots # {} /\ \E c \in DOMAIN entries, k \in DOMAIN entries \union {None} : Claim(o, "DISTRIBUTE", InSlots, c, k)
     \/ \E d \in NewDatasets, type \in Types : BeginCreate(d, type, o)

Next ==
  \/ Begin
  \/ begun' = begun /\ (End \/ Undo \/ \E d \in NewDatasets, type \in Types : Create(d, type, None))
Spec == Init /\ [][Next]_<<vars, begun>>
=============================================================================
