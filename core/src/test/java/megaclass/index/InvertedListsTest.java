// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lists under many random moves, beside an array that says which class is where. */
class InvertedListsTest {
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "9, 2, 1", "100, 7, 2", "777, 5, 3", "300, 300, 8"})
  void codesGoWithTheirClasses(int numClasses, int numLists, int words) {
    var random = new SplittableRandom(numClasses);
    int[] listOf = random.ints(numClasses, 0, numLists).toArray();
    try (var lists = new InvertedLists(words, numLists, listOf)) {
      for (int c = 0; c < numClasses; c++) {
        write(lists, c, words);
      }
      // All into one list now and then, so that it is full and all is laid out anew.
      for (int move = 0; move < 4 * numClasses; move++) {
        int c = random.nextInt(numClasses);
        listOf[c] = move / 100 % 2 == 0 ? 0 : random.nextInt(numLists);
        if (lists.list(c) != listOf[c]) {
          lists.move(c, listOf[c]);
        }
        write(lists, c, words); // the code of a class that has moved is its own matter
      }
      for (int c = 0; c < numClasses; c++) {
        assertEquals(listOf[c], lists.list(c), "list of class " + c);
        assertCode(lists, c, words);
      }
      assertEveryClassHasOnePlace(lists, listOf);
    }
  }

  private static void assertEveryClassHasOnePlace(InvertedLists lists, int[] listOf) {
    var seen = new HashSet<Integer>();
    for (int list = 0; list < lists.numLists(); list++) {
      for (int place = 0; place < lists.size(list); place++) {
        int c = lists.classId(list, place);
        assertEquals(list, listOf[c]);
        assertTrue(seen.add(c), "class " + c + " has two places");
        long factor = lists.factors(list) + 4L * place;
        assertEquals(c + 0.5f, floats(factor, 1).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
      }
    }
    assertEquals(listOf.length, seen.size());
  }

  private static MemorySegment floats(long address, int count) {
    return MemorySegment.ofAddress(address).reinterpret(4L * count);
  }

  private static MemorySegment code(InvertedLists lists, int classId, int words) {
    return MemorySegment.ofAddress(lists.code(classId)).reinterpret(64L * words);
  }

  private static void write(InvertedLists lists, int classId, int words) {
    for (int word = 0; word < words; word++) {
      long at = 64L * word;
      code(lists, classId, words).set(ValueLayout.JAVA_LONG_UNALIGNED, at, classId * 1000L + word);
    }
    lists.setFactor(classId, classId + 0.5f);
  }

  private static void assertCode(InvertedLists lists, int classId, int words) {
    for (int word = 0; word < words; word++) {
      long at = 64L * word;
      assertEquals(
          classId * 1000L + word,
          code(lists, classId, words).get(ValueLayout.JAVA_LONG_UNALIGNED, at),
          "word " + word + " of class " + classId);
    }
  }
}
