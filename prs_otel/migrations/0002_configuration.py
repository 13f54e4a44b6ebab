"""Make the tables of changed settings and of who changed them."""

from __future__ import annotations
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('prs_otel', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Configuration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('changes', models.JSONField(default=dict)),
                ('revision', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'permissions': (('maintain_monitoring', 'Can clean up, compact and reset measurements'),),
            },
        ),
        migrations.CreateModel(
            name='SettingChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveBigIntegerField(editable=False)),
                ('key', models.CharField(editable=False, max_length=100)),
                ('old', models.JSONField(editable=False, null=True)),
                ('new', models.JSONField(editable=False, null=True)),
                ('changed_at', models.DateTimeField(editable=False)),
                ('username', models.CharField(editable=False, max_length=255)),
                ('user', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-pk',),
            },
        ),
    ]
