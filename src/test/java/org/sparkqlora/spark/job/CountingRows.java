package org.sparkqlora.spark.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.spark.prepare.DataPreparation;
import org.sparkqlora.spark.prepare.NumbersEncoder;
import org.sparkqlora.spark.prepare.PreparationOptions;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.train.BigramModel;

/** Prepared rows of tokens that count upwards, for the bigram model. */
final class CountingRows {
    private CountingRows() {}

    /** @param folder of the rows; their text lies beside it */
    static PreparedData prepare(JavaSparkContext context, Path folder, int count, long seed) {
        Path text = folder.resolveSibling(folder.getFileName() + ".jsonl");
        SplittableRandom random = new SplittableRandom(seed);
        try {
            Files.write(text, Stream.generate(() -> line(random)).limit(count).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }

        return new DataPreparation(context, null)
                .prepare(
                        List.of(text.toString()),
                        new NumbersEncoder("numbers"),
                        new PreparationOptions(16, Packing.PACKED, OnBadRecord.FAIL),
                        folder.toString());
    }

    private static String line(SplittableRandom random) {
        int first = random.nextInt(BigramModel.VOCABULARY);
        return IntStream.range(first, first + random.nextInt(2, 10))
                .mapToObj(token -> String.valueOf(token % BigramModel.VOCABULARY))
                .collect(Collectors.joining(" "));
    }
}
