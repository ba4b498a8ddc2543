package org.sparkqlora.ml;

import java.io.IOException;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import scala.Option;

/** A stored stage that is nothing but its params: {@code metadata/}, as MLlib has it. */
final class StageFolder {
    private StageFolder() {}

    /** Stores one. */
    static final class Writer extends MLWriter {
        private final Params stage;

        Writer(Params stage) {
            this.stage = stage;
        }

        @Override
        public void save(String path) throws IOException {
            if (!shouldOverwrite()) {
                StagePath.of(path, sc()).requireAbsent();
            }

            super.save(path);
        }

        @Override
        public void saveImpl(String path) {
            DefaultParamsWriter.saveMetadata(stage, path, sc(), Option.empty(), Option.empty());
        }
    }

    /** Reads one of class {@code T}. */
    static final class Reader<T> extends MLReader<T> {
        private final Class<T> type;

        Reader(Class<T> type) {
            this.type = type;
        }

        @Override
        public T load(String path) {
            StagePath.of(path, sc()).metadata(type, sc());
            return type.cast(new DefaultParamsReader<>().session(sparkSession()).load(path));
        }
    }
}
