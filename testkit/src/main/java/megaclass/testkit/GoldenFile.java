// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.stream.IntStream;

/** Reads the JSON files of golden values, which make_golden.py beside them made. */
final class GoldenFile {
  private GoldenFile() {}

  static JsonNode read(String name) {
    try (var stream = GoldenFile.class.getResourceAsStream(name)) {
      return new ObjectMapper().readTree(stream);
    } catch (IOException e) {
      throw new UncheckedIOException("golden file " + name + " is not readable", e);
    }
  }

  /** A matrix as an array of rows. */
  static double[][] rows(JsonNode node) {
    return elements(node).mapToObj(i -> numbers(node.get(i))).toArray(double[][]::new);
  }

  static double[] numbers(JsonNode node) {
    return elements(node).mapToDouble(i -> node.get(i).doubleValue()).toArray();
  }

  static int[] integers(JsonNode node) {
    return elements(node).map(i -> node.get(i).intValue()).toArray();
  }

  private static IntStream elements(JsonNode node) {
    return IntStream.range(0, node.size());
  }
}
