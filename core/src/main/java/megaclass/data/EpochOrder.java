// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import megaclass.internal.Check;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;

/**
 * The order of the examples in one epoch: a seeded shuffle that reads locally. Blocks of 1024
 * neighbouring examples come in random order, and the examples of 1024 blocks in a row are shuffled
 * among themselves; so a window of a million examples is all that must be in memory, and smaller
 * sets are shuffled entirely. Block borders move from epoch to epoch. Every example comes exactly
 * once.
 *
 * <p>A neighbourhood of more than one example stays together in the shuffle. Where the data is
 * sorted so that neighbours are easily confused, as a dictionary is, each batch then holds the hard
 * negatives of its own examples (as the clustered batches of NGAME: Dahiya et al. 2023).
 *
 * <p>The example at a position is a pure function of (number of examples, seed, epoch, position): a
 * resumed run continues anywhere. Immutable and thread-safe.
 */
public final class EpochOrder {
  private static final int BLOCK_BITS = 10;
  private static final int WINDOW_BITS = 20;

  private final long numExamples;
  private final int neighbourhoodBits;
  private final long key;
  private final long numFullBlocks;
  private final Permutation blocks;
  private final long shift;

  /** The window read last, kept since a new one costs more than a position; a race is harmless. */
  private Window lastWindow;

  private record Window(long number, long numNeighbourhoods, Permutation slots) {}

  /**
   * The order of an epoch over [0, numExamples).
   *
   * @param neighbourhood examples that stay together: a power of 2 in [1, 1024]
   * @param epoch counted from 0
   */
  public EpochOrder(long numExamples, int neighbourhood, long seed, int epoch) {
    this.numExamples = Check.positive("numExamples", numExamples);
    this.neighbourhoodBits = Integer.numberOfTrailingZeros(checkNeighbourhood(neighbourhood));
    this.key = Hash.key(seed, epoch);
    this.numFullBlocks = numExamples >>> BLOCK_BITS;
    this.blocks = new Permutation(Math.max(1, numFullBlocks), Hash.key(key, 1));
    this.shift = Math.unsignedMultiplyHigh(Hash.key(key, 2), numExamples);
    this.lastWindow = window(0);
  }

  /** Returns a neighbourhood that is allowed. */
  public static int checkNeighbourhood(int neighbourhood) {
    Check.inRange("neighbourhood", neighbourhood, 1, 1 << BLOCK_BITS);
    if (Integer.bitCount(neighbourhood) != 1) {
      throw new IllegalArgumentException(
          "neighbourhood must be a power of 2, but was " + neighbourhood);
    }
    return neighbourhood;
  }

  /** How many examples an epoch has. */
  public long numExamples() {
    return numExamples;
  }

  /** The example at a position; both in [0, numExamples). */
  public long example(long position) {
    if (position < 0 || position >= numExamples) {
      throw new IndexOutOfBoundsException(
          "position " + position + " is not in [0, " + numExamples + ")");
    }
    var window = lastWindow;
    if (window.number() != position >>> WINDOW_BITS) {
      window = window(position >>> WINDOW_BITS);
      lastWindow = window;
    }
    long start = window.number() << WINDOW_BITS;
    long slot = start + shuffled(position - start, window);
    long blockSlot = slot >>> BLOCK_BITS;
    // What is left after the last full block stays at the end of the last window.
    long block = blockSlot < numFullBlocks ? blocks.at(blockSlot) : numFullBlocks;
    long example = (block << BLOCK_BITS) + (slot & ((1 << BLOCK_BITS) - 1)) + shift;
    return example < numExamples ? example : example - numExamples;
  }

  /** Neighbourhoods change places; what is too little for one stays at the end of its window. */
  private long shuffled(long position, Window window) {
    long number = position >>> neighbourhoodBits;
    if (number >= window.numNeighbourhoods()) {
      return position;
    }
    long inside = position & ((1L << neighbourhoodBits) - 1);
    return (window.slots().at(number) << neighbourhoodBits) + inside;
  }

  private Window window(long number) {
    long size = Math.min(1L << WINDOW_BITS, numExamples - (number << WINDOW_BITS));
    long numNeighbourhoods = size >>> neighbourhoodBits;
    var slots = new Permutation(Math.max(1, numNeighbourhoods), Hash.key(key, 3, number));
    return new Window(number, numNeighbourhoods, slots);
  }
}
