// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

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
              "ivf(rate, numLists=0, numProbes=0, numCandidates=0, repairEvery=1000)",
              "ivf(0.01)",
              a ->
                  new SelectorSpec.Ivf(
                      a.number("rate"),
                      a.integer("numLists"),
                      a.integer("numProbes"),
                      a.integer("numCandidates"),
                      a.integer("repairEvery")))
          .addition(
              "tail(share)",
              "exactTop(4096) + tail(0.1)",
              (base, a) -> new SelectorSpec.WithTail(base, a.number("share")))
          .addition(
              "groups(numGroups)",
              "ivf(0.01) + groups(8)",
              (base, a) -> new SelectorSpec.WithGroups(base, a.integer("numGroups")));

  private SelectorText() {}
}
