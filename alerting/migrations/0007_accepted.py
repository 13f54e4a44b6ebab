from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("prs_alerting", "0006_reminders")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="accepted",
            field=models.JSONField(default=list),
        ),
    ]
