// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.index.BinaryIvf;
import megaclass.internal.SpecText;

/** The texts of class selectors. */
final class SelectorText {
  static final SpecText<SelectorSpec> FORMS =
      SpecText.<SelectorSpec>of("class selector")
          .form("all", "all", _ -> new SelectorSpec.All())
          .form(
              "uniform(rate, corrected=false)",
              "uniform(0.1)",
              a -> new SelectorSpec.Uniform(a.number("rate"), a.flag("corrected")))
          .form(
              "exactTop(numActive)",
              "exactTop(4096)",
              a -> new SelectorSpec.ExactTop(a.integer("numActive")))
          .form(
              "ivf(rate=0.1, coverage=1, numLists=0, numProbes=0, numCandidates=0,"
                  + " repairEvery=1000, code=rabitq)",
              "ivf(0.01)",
              a ->
                  new SelectorSpec.Ivf(
                      a.number("rate"),
                      a.number("coverage"),
                      a.integer("numLists"),
                      a.integer("numProbes"),
                      a.integer("numCandidates"),
                      a.integer("repairEvery"),
                      a.choice("code", BinaryIvf.Code.class)))
          .form(
              "forest(rate, numTrees=50, leafSize=0, numCandidates=0, refreshEvery=1000,"
                  + " refreshDrift=0)",
              "forest(0.01)",
              a ->
                  new SelectorSpec.Forest(
                      a.number("rate"),
                      a.integer("numTrees"),
                      a.integer("leafSize"),
                      a.integer("numCandidates"),
                      a.integer("refreshEvery"),
                      a.number("refreshDrift")))
          .form(
              "auto(rate, tuneAfter=0)",
              "auto(0.01)",
              a -> new SelectorSpec.Auto(a.number("rate"), a.integer("tuneAfter")))
          .form(
              "neighbours(rate, numNeighbours=0, refreshEvery=1000)",
              "neighbours(0.01)",
              a ->
                  new SelectorSpec.Neighbours(
                      a.number("rate"), a.integer("numNeighbours"), a.integer("refreshEvery")))
          .addition(
              "adaptive(massThreshold, policy=reachable, probeEvery=500)",
              "ivf(0.1) + adaptive(0.95)",
              (base, a) ->
                  new SelectorSpec.Adaptive(
                      base,
                      a.number("massThreshold"),
                      a.choice("policy", SelectorSpec.Adaptive.Policy.class),
                      a.integer("probeEvery")))
          .addition(
              "tail(share)",
              "exactTop(4096) + tail(0.1)",
              (base, a) -> new SelectorSpec.WithTail(base, a.number("share")))
          .addition(
              "curriculum(numSteps)",
              "ivf(0.01) + curriculum(1000)",
              (base, a) -> new SelectorSpec.Curriculum(base, a.integer("numSteps")))
          .addition(
              "groups(numGroups)",
              "ivf(0.01) + groups(8)",
              (base, a) -> new SelectorSpec.WithGroups(base, a.integer("numGroups")));

  private SelectorText() {}
}
