// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** How embeddings are measured on classes that the model need not know. */
public enum Protocol {
  /** Pairs of one class or of two. */
  VERIFICATION,
  /** Probes in a gallery. */
  IDENTIFICATION,
  /** Classes from a few examples. */
  FEW_SHOT,
  /** The nearest others. */
  RETRIEVAL;

  /** What stands for none of them. */
  static final String CLOSED_SET = "closed-set";

  /** Reads words between commas; empty for {@link #CLOSED_SET}. */
  static Set<Protocol> parse(String text) {
    var protocols = EnumSet.noneOf(Protocol.class);
    if (text.equals(CLOSED_SET)) {
      return protocols;
    }
    for (var word : text.split(",", -1)) {
      protocols.add(
          Arrays.stream(values())
              .filter(protocol -> protocol.toString().equals(word.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "must be %s, or some of %s, but was \"%s\""
                              .formatted(CLOSED_SET, names(), text))));
    }
    return protocols;
  }

  static String format(Set<Protocol> protocols) {
    return protocols.isEmpty()
        ? CLOSED_SET
        : protocols.stream().map(Protocol::toString).collect(Collectors.joining(","));
  }

  static String names() {
    return format(EnumSet.allOf(Protocol.class));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
