// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import java.util.Arrays;
import megaclass.compute.Workers;

/**
 * The distinct table rows of a batch, each with the samples that hold it: what turns gradients of
 * samples into gradients of rows. Rows are grouped in a fixed number of parts by ranges of row
 * numbers, so that the result does not depend on the number of threads.
 */
final class TouchedRows {
  /** Receives one row and its samples, (int) samples[from..to), in ascending order. */
  interface Visitor {
    void visit(int row, long[] samples, int from, int to, int worker);
  }

  private final int parts;

  /** Occurrences as row * 2^32 + sample; those of part p are at [starts[p], starts[p + 1]). */
  private long[] occurrences = new long[0];

  private final int[] starts;
  private final int[][] positions;
  private final int[][] rows;
  private final int[] numRows;

  TouchedRows(int parts) {
    this.parts = parts;
    starts = new int[parts + 1];
    positions = new int[parts][parts];
    rows = new int[parts][0];
    numRows = new int[parts];
  }

  /** Groups the tokens of a batch: those of sample i are {@code tokens[i][0 .. counts[i])}. */
  void group(int[][] tokens, int[] counts, int size, int tableRows, Workers workers) {
    workers.run(parts, (chunk, _) -> count(chunk, tokens, counts, size, tableRows));
    int total = 0;
    for (int part = 0; part < parts; part++) {
      starts[part] = total;
      for (int chunk = 0; chunk < parts; chunk++) {
        int inChunk = positions[chunk][part];
        positions[chunk][part] = total;
        total += inChunk;
      }
    }
    starts[parts] = total;
    if (occurrences.length < total) {
      occurrences = new long[total + total / 4];
    }
    workers.run(parts, (chunk, _) -> deal(chunk, tokens, counts, size, tableRows));
    workers.run(parts, (part, _) -> sort(part));
  }

  private int from(int chunk, int size) {
    return (int) ((long) size * chunk / parts);
  }

  private int partOf(int row, int tableRows) {
    return (int) ((long) row * parts / tableRows);
  }

  private void count(int chunk, int[][] tokens, int[] counts, int size, int tableRows) {
    int[] inPart = positions[chunk];
    Arrays.fill(inPart, 0);
    for (int i = from(chunk, size); i < from(chunk + 1, size); i++) {
      for (int t = 0; t < counts[i]; t++) {
        inPart[partOf(tokens[i][t], tableRows)]++;
      }
    }
  }

  private void deal(int chunk, int[][] tokens, int[] counts, int size, int tableRows) {
    int[] at = positions[chunk];
    for (int i = from(chunk, size); i < from(chunk + 1, size); i++) {
      for (int t = 0; t < counts[i]; t++) {
        int row = tokens[i][t];
        occurrences[at[partOf(row, tableRows)]++] = ((long) row << 32) | i;
      }
    }
  }

  private void sort(int part) {
    Arrays.sort(occurrences, starts[part], starts[part + 1]);
    int occurring = starts[part + 1] - starts[part];
    if (rows[part].length < occurring) {
      rows[part] = new int[occurring + occurring / 4];
    }
    int distinct = 0;
    for (int at = starts[part]; at < starts[part + 1]; at++) {
      int row = (int) (occurrences[at] >>> 32);
      if (distinct == 0 || rows[part][distinct - 1] != row) {
        rows[part][distinct++] = row;
      }
    }
    numRows[part] = distinct;
  }

  int numRows() {
    return Arrays.stream(numRows).sum();
  }

  /** Row {@code i} of all, in ascending order. */
  int row(int i) {
    int part = 0;
    int at = i;
    while (at >= numRows[part]) {
      at -= numRows[part++];
    }
    return rows[part][at];
  }

  void forEachRow(Workers workers, Visitor visitor) {
    workers.run(
        parts,
        (part, worker) -> {
          int to;
          for (int from = starts[part]; from < starts[part + 1]; from = to) {
            int row = (int) (occurrences[from] >>> 32);
            to = from + 1;
            while (to < starts[part + 1] && (int) (occurrences[to] >>> 32) == row) {
              to++;
            }
            visitor.visit(row, occurrences, from, to, worker);
          }
        });
  }
}
