// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

/**
 * The arithmetic of sign codes: one bit for each coordinate of a rotated row, by which many rows
 * are compared with an embedding at a small part of the cost of their floats.
 *
 * <p>A <em>code</em> of a rotated row r is {@code words} longs: bit i % 64 of word i / 64 is set
 * where r[i] > 0. With b = +1 where it is set and -1 elsewhere, and D = 64 words coordinates, it
 * answers in two ways (RaBitQ: Gao and Long, SIGMOD 2024; the notation is theirs):
 *
 * <ul>
 *   <li>the distance of Hamming between codes: of two rows with the angle theta between them, each
 *       bit differs with probability theta / pi;
 *   <li>the inner product b.q with a rotated embedding q, of which 4 bits a coordinate are kept;
 *       (r.r / b.r) (b.q) estimates r.q without bias, over random rotations.
 * </ul>
 *
 * <p>Codes lie in <em>blocks</em> of {@link #BLOCK}, word by word: word w of code j is long j / 8 *
 * 8 words + 8 w + j % 8, so that one load of 64 bytes is the same word of 8 codes. A list is padded
 * to whole blocks; what its padding holds is of no consequence. Query codes lie word after word.
 *
 * <p>Operands are raw addresses in native byte order, checked by the caller, as in {@link
 * ComputeBackend}. Implementations are stateless and thread-safe; all results but {@link #signs}'s
 * sum are the same bit for bit. At least 1 and at most {@link #MAX_WORDS} words.
 */
public sealed interface CodeKernels permits ScalarCodes, VectorCodes {
  /** Codes of a block. */
  int BLOCK = 8;

  /** Bits of a word: the coordinates of a rotated row are a multiple of this. */
  int WORD = 64;

  /** Most words of a code. */
  int MAX_WORDS = 64;

  /** Bits that are kept of each coordinate of a rotated embedding. */
  int PLANES = 4;

  /** Largest level of a coordinate: levels are the odd numbers from -15 to 15. */
  int TOP_LEVEL = 15;

  /** Below this largest value a rotated embedding counts as zero: its inverse is no float. */
  float SMALLEST_QUERY = 0x1p-100f;

  /** sqrt(1/2), with which sum and difference of two coordinates are a rotation of them. */
  float HALF_ROOT = 0.70710677f;

  /** Bytes of so many codes, padded to whole blocks. */
  static long bytes(int numCodes, int words) {
    return 8L * words * BLOCK * Math.ceilDiv(numCodes, BLOCK);
  }

  /** Bytes from the first block to word 0 of code {@code position}. */
  static long offset(int position, int words) {
    return 8L * ((long) position / BLOCK * BLOCK * words + position % BLOCK);
  }

  // ---- rows ----------------------------------------------------------------------------------

  /**
   * Rotates a row, in rounds. A round multiplies every coordinate by its factor and transforms the
   * first (in odd rounds, counted from 0, the last) S coordinates by Hadamard's matrix of +1 and
   * -1, where S is the largest power of two up to {@code codeDim}. When these are not all, it then
   * multiplies each coordinate y of the second half by one more factor; its partner x in the first
   * half becomes (x + y) sqrt(1/2), and y itself (x - y) sqrt(1/2).
   *
   * @param row (width); may be {@code into}
   * @param width a multiple of {@link ComputeBackend#ROW_ALIGNMENT}, at most {@code codeDim}; the
   *     coordinates beyond are 0
   * @param factors (rounds, {@link #factorsOfRound}): random signs, times 1 / sqrt(S) where the
   *     transform goes
   * @param codeDim a multiple of {@link #WORD}
   * @param into (codeDim), written
   */
  void rotate(long row, int width, float[] factors, int codeDim, long into);

  /** Factors of a round of a rotation: one a coordinate, and one for each that is mixed. */
  static int factorsOfRound(int codeDim) {
    return codeDim == Integer.highestOneBit(codeDim) ? codeDim : codeDim + codeDim / 2;
  }

  /**
   * Writes the code of a rotated row. A coordinate of 0 counts as negative.
   *
   * @param row (64 * words)
   * @param into word 0 of the code
   * @param stride longs from word to word: {@link #BLOCK} in blocks of codes, 1 in a query code
   * @return b.r, the sum of |row[i]|; to rounding
   */
  float signs(long row, int words, long into, int stride);

  // ---- queries -------------------------------------------------------------------------------

  /**
   * Writes a rotated embedding with 4 bits a coordinate: q[i] is about scale * level[i], with the
   * nearest of the levels -15, -13, ... 15 for scale = max |q[i]| / 15. They are symmetric, so that
   * b.q needs no count of a code's bits: with the 4 bits v = (level + 15) / 2, plane k the code of
   * bit k, b.level is the sum over k of 2^k (64 words - 2 popcount(code ^ plane k)).
   *
   * @param row (64 * words)
   * @param into (words, 4): plane k of word w is long 4 w + k
   * @return scale; 0 for an embedding of zeros
   */
  float planes(long row, int words, long into);

  // ---- scans ---------------------------------------------------------------------------------

  /**
   * Distances of Hamming between queries and codes.
   *
   * @param queries addresses of at least {@code numQueries} query codes
   * @param codes first of {@code numBlocks} blocks
   * @param into (numQueries, numBlocks * 8), written
   */
  void distances(long[] queries, int numQueries, long codes, int numBlocks, int words, int[] into);

  /**
   * Estimates of scores: into[i][j] = factor[j] * (scale[i] * b.level) + base[i], rounded twice;
   * b.level is an integer in [-960 words, 960 words].
   *
   * @param queries addresses of at least {@code numQueries} results of {@link #planes}
   * @param scales (numQueries), what {@link #planes} returned
   * @param bases (numQueries), as the score of the centroid that was taken off the rows
   * @param codes first of {@code numBlocks} blocks
   * @param factors (numBlocks * 8), one of each code, as r.r / b.r
   * @param scratch (numBlocks * 8), holds nothing of use afterwards
   * @param into (numQueries, numBlocks * 8), written
   */
  void estimates(
      long[] queries,
      float[] scales,
      float[] bases,
      int numQueries,
      long codes,
      long factors,
      int numBlocks,
      int words,
      long[] scratch,
      float[] into);

  /**
   * What the {@code k} largest values reach, and few others; as {@link
   * ComputeBackend#columnThreshold} does with a column.
   *
   * @param size the first so many of {@code values}, finite
   * @param k in [1, size]
   */
  float threshold(float[] values, int size, int k);

  /**
   * Finds the values above a threshold.
   *
   * @param into receives i - from for each i in [from, to) found, ascending; room for all
   * @return how many were found
   */
  int above(float[] values, int from, int to, float threshold, int[] into);

  /** Finds the values below a threshold, as {@link #above} does. */
  int below(int[] values, int from, int to, int threshold, int[] into);
}
