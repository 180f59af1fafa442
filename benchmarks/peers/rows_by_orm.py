"""The first system's way with heart rates: FastAPI checks each sample, the ORM inserts a row for each.

The reference's `HeartRateData` has the primary key (time, session_id) and is written by `bulk_insert_mappings`, in
`data_ingestion_service.py` of its architecture; its key alone and no other index is kept here, in its favour.
"""

import os
from datetime import datetime

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import DateTime, Float, String, create_engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class HeartRateData(Base):
    __tablename__ = "heart_rate_data"
    time: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    session_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    heart_rate: Mapped[float] = mapped_column(Float)
    hr_zone: Mapped[int | None]
    confidence: Mapped[float | None] = mapped_column(Float)


class Sample(BaseModel):
    timestamp: datetime
    heart_rate: float
    confidence: float | None = None


class Bulk(BaseModel):
    data: list[Sample]


app = FastAPI()
engine = create_engine(os.environ["PEER_DATABASE_URL"])
Base.metadata.create_all(engine)


@app.post("/api/sessions/{session_id}/hr-data")
def hr_data(session_id: str, bulk: Bulk) -> dict[str, int]:
    rows = [
        {
            "time": sample.timestamp,
            "session_id": session_id,
            "heart_rate": sample.heart_rate,
            "hr_zone": int(sample.heart_rate // 20),
            "confidence": sample.confidence,
        }
        for sample in bulk.data
    ]
    with Session(engine) as db:
        db.bulk_insert_mappings(HeartRateData, rows)  # type: ignore[arg-type]
        db.commit()
    return {"count": len(rows)}


@app.get("/size")
def size() -> int:
    """Bytes of table and index."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_total_relation_size('heart_rate_data')")) or 0)
