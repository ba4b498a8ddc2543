package org.sparkqlora.spark.job;

import org.apache.spark.ml.linalg.DenseVector;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** The form in which a column holds the scores of a text. */
public enum ScoreColumn {
    /** All of them, as MLlib's classifiers have raw predictions. */
    VECTOR {
        @Override
        public DataType type() {
            return SQLDataTypes.VectorType();
        }

        @Override
        Object value(double... scores) {
            return new DenseVector(scores);
        }
    },

    /** All of them. */
    LIST {
        @Override
        public DataType type() {
            return DataTypes.createArrayType(DataTypes.DoubleType, false);
        }

        @Override
        Object value(double... scores) {
            return scores;
        }
    },

    /** The first. */
    NUMBER {
        @Override
        public DataType type() {
            return DataTypes.DoubleType;
        }

        @Override
        Object value(double... scores) {
            return scores[0];
        }
    };

    /** The type of the column. */
    public abstract DataType type();

    abstract Object value(double... scores);
}
